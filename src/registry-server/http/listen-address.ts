import { EngineError } from '#errors';

/** Reads `127.0.0.1:5000`, `[::1]:5000`, `:5000`; port 0 takes a free one. */
export function parseListenAddress(text: string): { host?: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new EngineError('invalidArgument', 'INVALID_CONFIG', `listen: host:port is expected, not "${text}"`);
  }
  const host = match[1] ?? match[2] ?? '';
  return host === '' ? { port } : { host, port };
}
