import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import { dockerKeyId } from './certificate.ts';
import type { TokenKey } from './token-key.ts';

/** One entry of a token's `access`, as Docker's token specification has it. */
export interface Grant {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** What a valid token says. */
export interface TokenClaims {
  /** Empty: nobody in particular. */
  readonly user: string;
  readonly grants: readonly Grant[];
}

export interface TokenOptions {
  readonly issuer: string;
  /** Our own name as an audience. */
  readonly service: string;
  readonly lifetimeSeconds: number;
  readonly refreshLifetimeSeconds: number;
}

const algorithm = 'ES256';
const refreshType = 'refresh+jwt';
const maxRemembered = 2000;
const grantsSchema = v.array(v.object({ type: v.string(), name: v.string(), actions: v.array(v.string()) }));

/** Signs and verifies tokens. The claims are those that Docker's registry wants, so that it takes our tokens too. */
export class Tokens {
  readonly options: TokenOptions;
  readonly #key: TokenKey;
  readonly #publicKey: KeyObject;
  readonly #verified: Map<string, { claims: TokenClaims; expiresMs: number }>;

  constructor(key: TokenKey, options: TokenOptions) {
    this.options = options;
    this.#key = key;
    this.#publicKey = createPublicKey(key.privateKey);
    this.#verified = new Map();
  }

  async issue(user: string, audience: string, grants: readonly Grant[]): Promise<string> {
    return await new SignJWT({ access: grants.map(({ type, name, actions }) => ({ type, name, actions })) })
      .setProtectedHeader({
        alg: algorithm,
        typ: 'JWT',
        kid: dockerKeyId(this.#key.privateKey),
        x5c: this.#key.certificates.map((certificate) => certificate.toString('base64')),
      })
      .setIssuer(this.options.issuer)
      .setSubject(user)
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt()
      .setNotBefore('-10s')
      .setExpirationTime(`${this.options.lifetimeSeconds}s`)
      .sign(this.#key.privateKey);
  }

  /** Undefined when it is not ours, not for us, or over. */
  async verify(token: string): Promise<TokenClaims | undefined> {
    const known = this.#verified.get(token);
    if (known && known.expiresMs > Date.now()) return known.claims;
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        algorithms: [algorithm],
        issuer: this.options.issuer,
        audience: this.options.service,
        typ: 'JWT',
        requiredClaims: ['exp'],
      });
      const claims = { user: payload.sub ?? '', grants: v.parse(grantsSchema, payload['access']) };
      this.#remember(token, claims, (payload.exp ?? 0) * 1000);
      return claims;
    } catch {
      return undefined;
    }
  }

  /** A token to get tokens with, instead of the password; good until the password's `generation` changes. */
  async issueRefresh(user: string, generation: string): Promise<string> {
    return await new SignJWT({ generation })
      .setProtectedHeader({ alg: algorithm, typ: refreshType })
      .setIssuer(this.options.issuer)
      .setSubject(user)
      .setIssuedAt()
      .setExpirationTime(`${this.options.refreshLifetimeSeconds}s`)
      .sign(this.#key.privateKey);
  }

  async verifyRefresh(token: string): Promise<{ user: string; generation: string } | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        algorithms: [algorithm],
        issuer: this.options.issuer,
        typ: refreshType,
        requiredClaims: ['exp', 'sub'],
      });
      const { generation } = payload;
      return typeof generation === 'string' ? { user: payload.sub ?? '', generation } : undefined;
    } catch {
      return undefined;
    }
  }

  #remember(token: string, claims: TokenClaims, expiresMs: number): void {
    this.#verified.set(token, { claims, expiresMs });
    const [oldest] = this.#verified.keys();
    if (this.#verified.size > maxRemembered && oldest !== undefined) this.#verified.delete(oldest);
  }
}
