import { EngineError } from '#errors';

/** @throws invalidArgument with Docker's text. */
export function checkVolumeName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return;
  throw new EngineError(
    'invalidArgument',
    'INVALID_VOLUME_NAME',
    name.length === 1
      ? 'volume name is too short, names should be at least two alphanumeric characters'
      : `${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}
