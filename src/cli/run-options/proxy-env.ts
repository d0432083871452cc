import { cut } from './go-values.ts';

/** Members of a `proxies` entry in `config.json`, and the variables they become (in both cases of letters). */
const variables = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  noProxy: 'NO_PROXY',
  ftpProxy: 'FTP_PROXY',
  allProxy: 'ALL_PROXY',
} as const;

/** The `proxies` member of `config.json`: by daemon address, or `default`. */
export type ProxySettings = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The `-e` variables, each name once (the last value counts), with the user's proxy settings for this daemon where a
 * variable is not given.
 */
export function withProxyVariables(
  given: readonly string[],
  proxies: ProxySettings | undefined,
  daemonHost: string,
): string[] {
  const merged = new Map(given.map((variable) => [cut(variable, '=')[0], variable]));
  const settings = proxies?.[daemonHost] ?? proxies?.['default'] ?? {};
  for (const [member, name] of Object.entries(variables)) {
    const value = settings[member] ?? '';
    if (value === '') continue;
    for (const key of [name, name.toLowerCase()]) {
      if (!merged.has(key)) merged.set(key, `${key}=${value}`);
    }
  }
  return [...merged.values()];
}
