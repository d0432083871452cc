import { EngineError, type ErrorKind } from '#errors';
import { nativeFunction } from '../native/koffi.ts';

const LIBRARY = 'libnftables.so.1';
const OUTPUT_JSON = 1 << 4;
const OUTPUT_HANDLE = 1 << 3;

const contextNew = nativeFunction<[number], bigint | null>('nft_ctx_new', 'void *', ['uint32'], LIBRARY);
const contextFree = nativeFunction<[bigint], void>('nft_ctx_free', 'void', ['void *'], LIBRARY);
const bufferOutput = nativeFunction<[bigint], number>('nft_ctx_buffer_output', 'int', ['void *'], LIBRARY);
const bufferError = nativeFunction<[bigint], number>('nft_ctx_buffer_error', 'int', ['void *'], LIBRARY);
const getOutput = nativeFunction<[bigint], string | null>('nft_ctx_get_output_buffer', 'str', ['void *'], LIBRARY);
const getError = nativeFunction<[bigint], string | null>('nft_ctx_get_error_buffer', 'str', ['void *'], LIBRARY);
const setFlags = nativeFunction<[bigint, number], void>(
  'nft_ctx_output_set_flags',
  'void',
  ['void *', 'uint'],
  LIBRARY,
);
const runBuffer = nativeFunction<[bigint, string], number>(
  'nft_run_cmd_from_buffer',
  'int',
  ['void *', 'str'],
  LIBRARY,
);

/** nft's texts for the errnos that callers tell apart; the library gives nothing else. */
const kinds: readonly [pattern: RegExp, kind: ErrorKind][] = [
  [/: No such file or directory/, 'notFound'],
  [/: File exists/, 'alreadyExists'],
  [/: Device or resource busy/, 'conflict'],
  [/: Operation not permitted/, 'forbidden'],
  [/: Operation not supported/, 'notImplemented'],
  [/syntax error/, 'invalidArgument'],
];

/** The error for what nft printed: its first line in the message, everything in `details.output`. */
export function nftError(output: string): EngineError {
  const kind = kinds.find(([pattern]) => pattern.test(output))?.[1] ?? 'internal';
  const firstLine = output.split('\n', 1)[0]?.replace(/^Error: /, '') ?? '';
  return new EngineError(kind, 'SYS_NFT', `nft: ${firstLine === '' ? 'unknown error' : firstLine}`, {
    details: { output },
  });
}

function openContext(): bigint {
  const context = contextNew(0);
  if (context === null || bufferOutput(context) !== 0 || bufferError(context) !== 0) {
    throw new EngineError('internal', 'SYS_NFT', 'nft: cannot make a context');
  }
  return context;
}

function runWith(commands: string, flags: number): string {
  const context = openContext();
  try {
    setFlags(context, flags);
    if (runBuffer(context, commands) !== 0) throw nftError(getError(context) ?? '');
    return getOutput(context) ?? '';
  } finally {
    contextFree(context);
  }
}

/**
 * Runs commands in nft's language (nft(8)) in this thread's network namespace: all of them, in one transaction, or none.
 *
 * @returns what they list, as text.
 * @throws {@link EngineError} with nft's message.
 */
export function run(commands: string): string {
  return runWith(commands, 0);
}

/** Like {@link run}, with the output of `list` commands parsed from JSON, handles included. */
export function query(commands: string): NftObject[] {
  const output = runWith(commands, OUTPUT_JSON | OUTPUT_HANDLE);
  if (output === '') return [];
  return (JSON.parse(output) as { nftables: NftObject[] }).nftables;
}

/** One object of a listing, under the name of its type (`table`, `chain`, `rule`, …); see libnftables-json(5). */
export type NftObject = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
