import { createHmac, randomBytes } from 'node:crypto';
import { registryError } from '../errors.ts';
import { BcryptThread } from './bcrypt-thread.ts';
import { FailureLimit } from './failure-limit.ts';
import type { HtpasswdFile } from './htpasswd.ts';

const windowMs = 60_000;
const failuresPerUser = 10;
const failuresPerAddress = 30;
/** More comparisons than this waiting for the one thread are seconds of waiting. */
const maxPending = 64;
const maxRemembered = 1000;
const maxPasswordLength = 1024;
/** Compared with when there is no such user, so that the time does not tell. */
const nobodysHash = '$2b$10$nc5Y405zqcHk47bgCdL6P.nAPzuXNipZ1Iith7x.b81vJCOlC73oS';

/**
 * Compares passwords with a password file. What was right is remembered by a keyed hash until the user's line changes,
 * so that only the first of a client's requests waits for bcrypt. Guessing is slowed down per user and per address; who
 * is remembered is not touched by that.
 */
export class PasswordChecker {
  readonly #file: HtpasswdFile;
  readonly #thread: BcryptThread;
  readonly #key: Buffer;
  readonly #remembered: Map<string, string>;
  readonly #byUser: FailureLimit;
  readonly #byAddress: FailureLimit;

  constructor(file: HtpasswdFile) {
    this.#file = file;
    this.#thread = new BcryptThread();
    this.#key = randomBytes(32);
    this.#remembered = new Map();
    this.#byUser = new FailureLimit(failuresPerUser, windowMs);
    this.#byAddress = new FailureLimit(failuresPerAddress, windowMs);
  }

  /** @throws {@link EngineError} TOOMANYREQUESTS after many failures. */
  async check(user: string, password: string, address: string): Promise<boolean> {
    if (password.length > maxPasswordLength) return false;
    const hash = this.#file.hashOf(user);
    const proof = createHmac('sha256', this.#key).update(user).update('\0').update(password).digest('base64');
    if (hash !== undefined && this.#remembered.get(proof) === hash) return true;
    this.#refuseGuessing(user, address);
    const matches = await this.#thread.compare(password, hash ?? nobodysHash);
    if (hash === undefined || !matches) {
      this.#byUser.add(user);
      this.#byAddress.add(address);
      return false;
    }
    this.#byUser.clear(user);
    this.#remember(proof, hash);
    return true;
  }

  /** Changes when the user's password does; undefined when there is no such user. */
  generationOf(user: string): string | undefined {
    const hash = this.#file.hashOf(user);
    return hash === undefined ? undefined : createHmac('sha256', hash).update(user).digest('base64url').slice(0, 22);
  }

  close(): void {
    this.#thread.close();
  }

  #refuseGuessing(user: string, address: string): void {
    const waitMs = Math.max(this.#byUser.waitMs(user), this.#byAddress.waitMs(address));
    if (waitMs === 0 && this.#thread.pending < maxPending) return;
    throw registryError('TOOMANYREQUESTS', {
      message: 'too many failed logins; try again later',
      headers: { 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))) },
    });
  }

  #remember(proof: string, hash: string): void {
    this.#remembered.set(proof, hash);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > maxRemembered && oldest !== undefined) this.#remembered.delete(oldest);
  }
}
