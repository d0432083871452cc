import { existsSync, readFileSync } from 'node:fs';

const resolvConf = '/etc/resolv.conf';
/** Not every host has one. */
const hosts = '/etc/hosts';
/** Where systemd-resolved keeps the real resolvers when resolv.conf names only its own stub. */
const resolvedResolvConf = '/run/systemd/resolve/resolv.conf';

/** The host's resolvers, as containers may use them, or with its own stub; empty if it has none. */
export function readHostResolvConf({ stub }: { stub: boolean } = { stub: false }): string {
  const text = existsSync(resolvConf) ? readFileSync(resolvConf, 'utf8') : '';
  if (stub) return text;
  const onlyStub = /^nameserver 127\.0\.0\.53$/m.test(text);
  return onlyStub && existsSync(resolvedResolvConf) ? readFileSync(resolvedResolvConf, 'utf8') : text;
}

/** The host's `/etc/hosts`; undefined where there is none. */
export function readHostHosts(): string | undefined {
  return existsSync(hosts) ? readFileSync(hosts, 'utf8') : undefined;
}
