import type { RegistryClient } from '#registry';
import type { AuthAnswer } from '#spec';

export interface LoginRequest {
  username: string;
  password: string;
  identityToken: string;
  /** Host or URL; empty for Docker Hub. */
  serverAddress: string;
}

const HUB = 'docker.io';
const hubHosts: ReadonlySet<string> = new Set(['', HUB, 'index.docker.io', 'registry-1.docker.io']);

/** The registry's host that an address means, as clients write it: a URL, a host, Docker Hub's old index. */
export function registryHost(address: string): string {
  const host = address.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
  return hubHosts.has(host) ? HUB : host;
}

/** Verifies credentials (`docker login`). */
export async function login(
  client: RegistryClient,
  request: LoginRequest & { signal: AbortSignal },
): Promise<AuthAnswer> {
  const { username, password, identityToken, signal } = request;
  const token = await client.login(
    registryHost(request.serverAddress),
    { username, password, identityToken },
    { signal },
  );
  return { IdentityToken: token, Status: 'Login Succeeded' };
}
