import { existsSync } from 'node:fs';

/** Where Berth's daemon listens. */
export const berthSocket = 'unix:///run/berth/berth.sock';
/** Where Docker's daemon listens. */
export const dockerSocket = 'unix:///var/run/docker.sock';

/** The host without any choice of the user's: Berth's socket; called as `docker`, Docker's when only that one is there. */
export function defaultHost(program: string): string {
  if (program !== 'docker') return berthSocket;
  const path = (host: string): string => host.slice('unix://'.length);
  return !existsSync(path(berthSocket)) && existsSync(path(dockerSocket)) ? dockerSocket : berthSocket;
}

/** A host as users write it, made complete: `host:2375` is TCP, `tcp://host` gets the port, `unix://` Docker's path. */
export function normalizeHost(text: string, tls: boolean): string {
  const host = text.trim();
  if (host === 'unix://' || host === 'unix:') return dockerSocket;
  const [, protocol = 'tcp', address = ''] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(host) ?? [];
  if (protocol !== 'tcp') return host;
  const [authority = '', ...path] = address.split('/');
  const withHost = authority === '' || authority.startsWith(':') ? `localhost${authority}` : authority;
  const withPort = /:\d+$/.test(withHost) ? withHost : `${withHost}:${tls ? 2376 : 2375}`;
  return `tcp://${[withPort, ...path].join('/')}`;
}
