import { CliError } from '../framework/errors.ts';
import type { ContextMeta } from './context-store.ts';

const blockBytes = 512;
/** More than any real context; beyond it the archive is refused. */
const maxArchiveBytes = 10 * 1024 * 1024;
const tlsPrefix = 'tls/docker/';

/** A context as the tar archive that `context export` writes. */
export function packContext(meta: ContextMeta, tls: Readonly<Record<string, string>>): Buffer {
  const parts = [entry('meta.json', '0', Buffer.from(JSON.stringify(meta)))];
  if (Object.keys(tls).length > 0) {
    parts.push(entry('tls', '5', Buffer.alloc(0)), entry('tls/docker', '5', Buffer.alloc(0)));
    for (const [name, text] of Object.entries(tls)) parts.push(entry(tlsPrefix + name, '0', Buffer.from(text)));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)]);
}

/** @throws CliError for what is no such archive. Names outside the expected ones are refused. */
export function unpackContext(archive: Buffer): { meta: ContextMeta; tls: Record<string, string> } {
  if (archive.length > maxArchiveBytes) throw new CliError('invalid context: the archive is too large');
  let meta: ContextMeta | undefined;
  const tls: Record<string, string> = {};
  for (const { name, bytes } of entries(archive)) {
    if (name === 'meta.json') meta = parseMeta(bytes.toString('utf8'));
    else if (/^tls\/docker\/(?:ca|cert|key)\.pem$/.test(name))
      tls[name.slice(tlsPrefix.length)] = bytes.toString('utf8');
    else if (!name.startsWith('tls/') || name.includes('..')) throw new CliError(`unexpected context file: ${name}`);
  }
  if (!meta) throw new CliError('invalid context: no metadata found');
  return { meta, tls };
}

/** One file (`0`) or directory (`5`) of a tar archive. */
export function entry(
  name: string,
  type: '0' | '5',
  bytes: Buffer,
  mode: number = type === '5' ? 0o700 : 0o644,
): Buffer {
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  header.write(name, 0, 'utf8');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes.length, 124, 12);
  octal(0, 136, 12);
  header.write('        ', 148, 'latin1');
  header.write(type, 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, bytes, Buffer.alloc((blockBytes - (bytes.length % blockBytes)) % blockBytes)]);
}

function* entries(archive: Buffer): Generator<{ name: string; bytes: Buffer }, void, void> {
  let at = 0;
  while (at + blockBytes <= archive.length) {
    const header = archive.subarray(at, at + blockBytes);
    if (header[0] === 0) return;
    const name = text(header, 0, 100);
    const size = Number.parseInt(text(header, 124, 136).trim() || '0', 8);
    if (!Number.isInteger(size) || size < 0 || at + blockBytes + size > archive.length) {
      throw new CliError('invalid context: the archive is damaged');
    }
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === '0' || type === '\0') yield { name, bytes: archive.subarray(at + blockBytes, at + blockBytes + size) };
    at += blockBytes + Math.ceil(size / blockBytes) * blockBytes;
  }
}

function text(header: Buffer, start: number, end: number): string {
  return (header.toString('utf8', start, end).split('\0')[0] ?? '').trim();
}

function parseMeta(json: string): ContextMeta {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== 'object' || parsed === null || !('Endpoints' in parsed)) {
    throw new CliError('invalid context: no metadata found');
  }
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest of the shape is optional throughout */
  return { Metadata: {}, ...parsed } as ContextMeta;
}
