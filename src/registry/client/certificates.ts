import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { EngineError } from '#errors';
import { isErrno } from '#lib';

/** What a TLS connection to one host is made with, in PEM. */
export interface HostCertificates {
  readonly authorities: readonly string[];
  /** Client certificates and their keys, in the same order. */
  readonly certificates: readonly string[];
  readonly keys: readonly string[];
}

/** Where systems keep the authorities that they trust. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** The system's authorities (`SSL_CERT_FILE` names another file), or Node's own where a system has none. */
export function systemAuthorities(): readonly string[] {
  const named = process.env['SSL_CERT_FILE'];
  for (const file of named === undefined || named === '' ? systemBundles : [named]) {
    const text = readIfThere(file);
    if (text !== undefined) return [text];
  }
  return rootCertificates;
}

/**
 * Reads `<directory>/<host>/` as Docker lays it out: every `*.crt` is an authority, every `*.cert` a client certificate whose key is the
 * `*.key` of the same name. The first directory that has the host counts.
 *
 * @throws {@link EngineError} invalidArgument when a certificate has no key, or a key no certificate.
 */
export function readHostCertificates(directories: readonly string[], host: string): HostCertificates | undefined {
  // The host is part of a path and comes from a reference or, in redirects, from strangers.
  if (host.includes('/') || host.startsWith('.') || host.includes('\0')) return undefined;
  for (const directory of directories) {
    const folder = path.join(directory, host);
    const names = listIfThere(folder);
    if (names !== undefined) return readFolder(folder, names);
  }
  return undefined;
}

function readFolder(folder: string, names: readonly string[]): HostCertificates {
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
  const ending = (suffix: string): string[] => names.filter((name) => name.endsWith(suffix)).toSorted();
  const pairs = ending('.cert').map((name) => {
    const key = `${name.slice(0, -'.cert'.length)}.key`;
    if (!names.includes(key)) {
      throw invalidFolder(
        `missing key ${key} for client certificate ${name}. CA certificates must use the extension .crt`,
      );
    }
    return { certificate: read(name), key: read(key) };
  });
  for (const name of ending('.key')) {
    const certificate = `${name.slice(0, -'.key'.length)}.cert`;
    if (!names.includes(certificate)) throw invalidFolder(`missing client certificate ${certificate} for key ${name}`);
  }
  return {
    authorities: ending('.crt').map(read),
    certificates: pairs.map((pair) => pair.certificate),
    keys: pairs.map((pair) => pair.key),
  };
}

function invalidFolder(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_REGISTRY_CERTIFICATES', message);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function listIfThere(folder: string): string[] | undefined {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
