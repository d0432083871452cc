import type { RegistryAuth } from '#spec';
import { decodeDocument, struct, text } from './go-json.ts';

const authConfig = struct<{
  username: string;
  password: string;
  auth: string;
  serveraddress: string;
  identitytoken: string;
  registrytoken: string;
}>({
  username: text(),
  password: text(),
  auth: text(),
  serveraddress: text(),
  identitytoken: text(),
  registrytoken: text(),
});

/** Body of `POST /auth`; also what is inside of `X-Registry-Auth`. `auth` is user and password in one, as in config files. */
export function decodeAuthConfig(body: unknown): RegistryAuth & { serverAddress: string } {
  const raw = decodeDocument(authConfig, body);
  const pair = raw.username === '' && raw.auth !== '' ? Buffer.from(raw.auth, 'base64').toString('utf8') : '';
  const colon = pair.indexOf(':');
  return {
    username: colon < 0 ? raw.username : pair.slice(0, colon),
    password: colon < 0 ? raw.password : pair.slice(colon + 1),
    identityToken: raw.identitytoken,
    registryToken: raw.registrytoken,
    serverAddress: raw.serveraddress,
  };
}

/** The header that carries credentials: base64 for URLs. What cannot be read counts as none, as with Docker. */
export function decodeAuthHeader(header: string | readonly string[] | undefined): RegistryAuth {
  const none: RegistryAuth = { username: '', password: '', identityToken: '', registryToken: '' };
  if (typeof header !== 'string' || header === '') return none;
  try {
    const { serverAddress: _serverAddress, ...auth } = decodeAuthConfig(
      JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as unknown,
    );
    return auth;
  } catch {
    return none;
  }
}
