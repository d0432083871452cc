import type { CliContext } from '../context.ts';
import { readCredentials, registryKey } from './credentials.ts';

/** The `X-Registry-Auth` header for a registry's host; empty credentials when none are stored. */
export async function registryAuthHeader(ctx: CliContext, domain: string): Promise<Record<string, string>> {
  const credentials = await readCredentials(ctx.config, registryKey(domain));
  const text = Buffer.from(JSON.stringify(credentials ?? {})).toString('base64');
  // For URLs, but padded: dockerd takes it no other way.
  return { 'x-registry-auth': text.replaceAll('+', '-').replaceAll('/', '_') };
}
