/** What `info` tells of how registries are reached. */
export interface RegistryFacts {
  insecureRegistries: readonly string[];
  mirrors: Readonly<Record<string, readonly string[]>>;
  proxies: { readonly http?: string; readonly https?: string; readonly none?: string };
}

interface IndexConfig {
  Mirrors: string[];
  Name: string;
  Official: boolean;
  Secure: boolean;
}

const HUB = 'docker.io';
const alwaysInsecure = ['::1/128', '127.0.0.0/8'];
const isBlock = (entry: string): boolean => /^[0-9a-fA-F.:]+\/\d+$/.test(entry);

/** Docker shows mirrors with a slash at the end. */
function shownMirrors(urls: readonly string[] = []): string[] {
  return urls.map((url) => `${url.replace(/\/+$/, '')}/`);
}

/** The members of `GET /info` about registries; passwords of proxies are masked as Docker masks them. */
export function registryFacts(facts: RegistryFacts): Record<string, unknown> {
  const hosts = facts.insecureRegistries.filter((entry) => !isBlock(entry));
  const names = [...new Set([HUB, ...hosts, ...Object.keys(facts.mirrors)])];
  const configs = names.map((name): [string, IndexConfig] => [
    name,
    { Mirrors: shownMirrors(facts.mirrors[name]), Name: name, Official: name === HUB, Secure: !hosts.includes(name) },
  ]);
  return {
    HttpProxy: masked(facts.proxies.http),
    HttpsProxy: masked(facts.proxies.https),
    NoProxy: facts.proxies.none ?? '',
    RegistryConfig: {
      InsecureRegistryCIDRs: [...new Set([...alwaysInsecure, ...facts.insecureRegistries.filter(isBlock)])],
      IndexConfigs: Object.fromEntries(configs),
      Mirrors: shownMirrors(facts.mirrors[HUB]),
    },
  };
}

function masked(proxy: string = ''): string {
  return proxy.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/]*@/i, '$1xxxxx:xxxxx@');
}
