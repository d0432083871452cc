import * as v from 'valibot';

/** The configuration of a registry. docs/registry.md says what every key does. */
export interface RegistryConfig {
  readonly root: string;
  readonly listen: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly accessLog: boolean;
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  readonly uploads: {
    readonly expireAfterSeconds: number;
    readonly maxOpen: number;
    readonly chunkMinBytes: number;
    readonly maxBlobBytes: number;
  };
  readonly quotas: readonly { readonly repository: string; readonly bytes: number }[];
}

const seconds = v.pipe(v.number(), v.integer(), v.minValue(1));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.pipe(v.string(), v.minLength(1));
const glob = v.pipe(v.string(), v.regex(/^[a-z0-9._\-/*]+$/, 'is no pattern of repository names'));

export const configSchema: v.GenericSchema<unknown, RegistryConfig> = v.strictObject({
  root: v.optional(text, '/var/lib/berth/registry'),
  listen: v.optional(text, '127.0.0.1:5000'),
  logLevel: v.optional(v.picklist(['debug', 'info', 'warn', 'error']), 'info'),
  accessLog: v.optional(v.boolean(), true),
  tls: v.optional(v.strictObject({ certificate: text, key: text })),
  uploads: v.optional(
    v.strictObject({
      expireAfterSeconds: v.optional(seconds, 24 * 3600),
      maxOpen: v.optional(v.pipe(count, v.minValue(1)), 10_000),
      chunkMinBytes: v.optional(count, 0),
      maxBlobBytes: v.optional(count, 0),
    }),
    {},
  ),
  quotas: v.optional(v.array(v.strictObject({ repository: glob, bytes: count })), []),
});
