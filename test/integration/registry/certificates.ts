import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A directory of the test's own. */
export function scratch(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'berth-registry-client-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface KeyPair {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** An authority of the test's own, made by openssl. */
export class Authority {
  readonly directory: string;
  readonly #own: KeyPair;

  constructor(t: TestContext) {
    this.directory = scratch(t);
    const [certPath, keyPath] = [join(this.directory, 'ca.crt'), join(this.directory, 'ca.key')];
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=Test authority',
      '-keyout',
      keyPath,
      '-out',
      certPath,
    );
    this.#own = pair(certPath, keyPath);
  }

  get certificate(): Buffer {
    return this.#own.cert;
  }

  /** @param names - `DNS:localhost`, `IP:0.0.0.0`. */
  issue(name: string, names: readonly string[]): KeyPair {
    const base = join(this.directory, name);
    const [certPath, keyPath] = [`${base}.cert`, `${base}.key`];
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      keyPath,
      '-out',
      `${base}.csr`,
    );
    writeFileSync(`${base}.ext`, `subjectAltName=${names.join(',')}\n`);
    openssl(
      'x509',
      '-req',
      '-days',
      '2',
      '-in',
      `${base}.csr`,
      '-CA',
      this.#own.certPath,
      '-CAkey',
      this.#own.keyPath,
      '-CAcreateserial',
      '-extfile',
      `${base}.ext`,
      '-out',
      certPath,
    );
    return pair(certPath, keyPath);
  }
}

/** `<directory>/<host>/` with these files, as in `/etc/docker/certs.d`. */
export function certificateDirectory(t: TestContext, host: string, files: Readonly<Record<string, Buffer>>): string {
  const directory = scratch(t);
  mkdirSync(join(directory, host));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, host, name), bytes);
  return directory;
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function pair(certPath: string, keyPath: string): KeyPair {
  return { certPath, keyPath, cert: readFileSync(certPath), key: readFileSync(keyPath) };
}
