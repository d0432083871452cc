import * as v from 'valibot';
import type { AccessRule } from '../auth/rules.ts';

/** The configuration of a registry. docs/registry.md says what every key does. */
export interface RegistryConfig {
  readonly root: string;
  readonly listen: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'json' | 'logfmt';
  readonly accessLog: boolean;
  readonly metrics: boolean;
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  readonly auth?:
    | {
        readonly mode: 'basic' | 'token';
        readonly htpasswd: string;
        readonly realm: string;
        readonly anonymousPull: boolean;
        readonly rules?: readonly AccessRule[] | undefined;
        readonly token: TokenConfig;
      }
    | undefined;
  readonly uploads: {
    readonly expireAfterSeconds: number;
    readonly maxOpen: number;
    readonly chunkMinBytes: number;
    readonly maxBlobBytes: number;
  };
  readonly collect: {
    readonly everySeconds: number;
    readonly graceSeconds: number;
    readonly deleteUntagged: boolean;
  };
  readonly notifications: readonly NotificationEndpoint[];
  readonly proxy?: ProxyConfig | undefined;
  readonly quotas: readonly { readonly repository: string; readonly bytes: number }[];
}

/** Where events are sent. */
export interface NotificationEndpoint {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly actions: readonly ('push' | 'pull' | 'mount' | 'delete')[];
  readonly timeoutSeconds: number;
  readonly maxQueued: number;
}

/** The registry that is cached. */
export interface ProxyConfig {
  readonly upstream: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly freshSeconds: number;
  readonly keepSeconds: number;
}

export interface TokenConfig {
  readonly url?: string | undefined;
  readonly issuer: string;
  readonly service: string;
  readonly otherServices: readonly string[];
  readonly key?: string | undefined;
  readonly certificate?: string | undefined;
  readonly lifetimeSeconds: number;
  readonly refreshLifetimeSeconds: number;
}

const seconds = v.pipe(v.number(), v.integer(), v.minValue(1));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.minLength(1));
const glob = v.pipe(v.string(), v.regex(/^[a-z0-9._\-/*]+$/, 'is no pattern of repository names'));

export const configSchema: v.GenericSchema<unknown, RegistryConfig> = v.strictObject({
  root: v.optional(text, '/var/lib/berth/registry'),
  listen: v.optional(text, '127.0.0.1:5000'),
  logLevel: v.optional(v.picklist(['debug', 'info', 'warn', 'error']), 'info'),
  logFormat: v.optional(v.picklist(['json', 'logfmt']), 'json'),
  accessLog: v.optional(v.boolean(), true),
  metrics: v.optional(v.boolean(), true),
  tls: v.optional(v.strictObject({ certificate: text, key: text })),
  auth: v.optional(
    v.strictObject({
      mode: v.optional(v.picklist(['basic', 'token']), 'basic'),
      htpasswd: text,
      realm: v.optional(text, 'Berth registry'),
      anonymousPull: v.optional(v.boolean(), false),
      rules: v.optional(
        v.array(
          v.strictObject({
            users: v.array(text),
            repositories: v.array(glob),
            actions: v.array(v.picklist(['pull', 'push', 'delete', 'catalog', '*'])),
          }),
        ),
      ),
      token: v.optional(
        v.strictObject({
          url: v.optional(v.pipe(v.string(), v.url())),
          issuer: v.optional(text, 'berth-registry'),
          service: v.optional(text, 'berth-registry'),
          otherServices: v.optional(v.array(text), []),
          key: v.optional(text),
          certificate: v.optional(text),
          // Docker's clients take less than a minute for a minute.
          lifetimeSeconds: v.optional(v.pipe(seconds, v.minValue(60)), 300),
          refreshLifetimeSeconds: v.optional(seconds, 30 * 24 * 3600),
        }),
        {},
      ),
    }),
  ),
  uploads: v.optional(
    v.strictObject({
      expireAfterSeconds: v.optional(seconds, 24 * 3600),
      maxOpen: v.optional(v.pipe(count, v.minValue(1)), 10_000),
      chunkMinBytes: v.optional(count, 0),
      maxBlobBytes: v.optional(count, 0),
    }),
    {},
  ),
  collect: v.optional(
    v.strictObject({
      everySeconds: v.optional(count, 0),
      graceSeconds: v.optional(count, 2 * 3600),
      deleteUntagged: v.optional(v.boolean(), false),
    }),
    {},
  ),
  notifications: v.optional(
    v.array(
      v.strictObject({
        name: text,
        url: v.pipe(v.string(), v.url()),
        headers: v.optional(v.record(v.string(), v.string()), {}),
        actions: v.optional(v.array(v.picklist(['push', 'pull', 'mount', 'delete'])), [
          'push',
          'pull',
          'mount',
          'delete',
        ]),
        timeoutSeconds: v.optional(seconds, 5),
        maxQueued: v.optional(v.pipe(count, v.minValue(1)), 10_000),
      }),
    ),
    [],
  ),
  proxy: v.optional(
    v.strictObject({
      upstream: v.pipe(v.string(), v.regex(/^https?:\/\/[^/?#@]+\/?$/, 'is no URL of a registry')),
      username: v.optional(text),
      password: v.optional(text),
      freshSeconds: v.optional(count, 300),
      keepSeconds: v.optional(seconds, 7 * 24 * 3600),
    }),
  ),
  quotas: v.optional(v.array(v.strictObject({ repository: glob, bytes: count })), []),
});
