import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { EngineError } from '#errors';
import type { LogLevel } from '#lib';
import { type BuilderConfig, toBuilderConfig } from './builder-config.ts';
import { type NetworkConfig, poolList, toNetworkConfig } from './network-config.ts';
import { mirrorList, toRegistryConfig, type RegistryConfig } from './registry-config.ts';

/** How this daemon runs: flags, then `daemon.json`, then defaults. Names are dockerd's. */
export interface DaemonConfig {
  hosts: string[];
  dataRoot: string;
  execRoot: string;
  pidfile: string;
  logLevel: LogLevel;
  /** Of the unix sockets; must exist. Empty: `docker`, if there is such a group. */
  group: string;
  bridge: string;
  bip: string;
  network: NetworkConfig;
  defaultRuntime: string;
  /** Name to path. */
  runtimes: Record<string, string>;
  labels: string[];
  dns: string[];
  dnsSearch: string[];
  dnsOptions: string[];
  /** For containers that do not say otherwise. */
  log: { Type: string; Config: Record<string, string> };
  init: boolean;
  initPath: string;
  /** Unencrypted TCP beyond loopback was asked for explicitly. */
  allowInsecureTcp: boolean;
  /** Undefined: as the host would have it. */
  cgroupDriver: 'cgroupfs' | 'systemd' | undefined;
  registries: RegistryConfig;
  builder: BuilderConfig;
}

/** What the command line asks for. */
export type Invocation =
  | { action: 'run'; config: DaemonConfig }
  | { action: 'help' }
  | { action: 'version' }
  | { action: 'validated' };

interface Option {
  kind: 'string' | 'boolean' | 'list' | 'integer';
  short?: string;
  /** Key in daemon.json where it differs from the flag. */
  key?: string;
  help: string;
}

const options = {
  host: { kind: 'list', short: 'H', key: 'hosts', help: 'Socket(s) to listen on (unix://path, tcp://127.0.0.1:port)' },
  'data-root': { kind: 'string', help: 'Root directory of persistent state (default "/var/lib/berth")' },
  'exec-root': { kind: 'string', help: 'Root directory of run-time state (default "/run/berth")' },
  pidfile: { kind: 'string', short: 'p', help: 'Path of the PID file (default "/run/berth/berthd.pid")' },
  debug: { kind: 'boolean', short: 'D', help: 'Enable debug mode' },
  'log-level': { kind: 'string', short: 'l', help: 'Logging level (debug, info, warn, error) (default "info")' },
  group: { kind: 'string', short: 'G', help: 'Group of the unix socket (default "docker" where it exists)' },
  bridge: { kind: 'string', short: 'b', help: 'Name of the default network\'s bridge (default "berth0")' },
  bip: { kind: 'string', help: "Address of the default network's bridge, with its prefix length" },
  'fixed-cidr': { kind: 'string', help: 'Part of the default network that containers get addresses from' },
  'default-address-pool': {
    kind: 'list',
    key: 'default-address-pools',
    help: 'Where networks are cut from (base=172.30.0.0/16,size=24); default: /24s of 172.17-31 and 192.168',
  },
  mtu: { kind: 'integer', help: 'MTU of the default network (default: the way out, 1500 at most)' },
  ip: { kind: 'string', help: 'Address that ports are published at unless told (default "0.0.0.0", all)' },
  'respect-firewall': {
    kind: 'boolean',
    help: "Published ports obey the host's rules for incoming packets: connections pass through the daemon",
  },
  'warn-public-ports': {
    kind: 'boolean',
    help: "Warn when a port is published at all of the host's addresses",
  },
  icc: { kind: 'boolean', help: 'Containers of the default network reach each other (default true)' },
  'ip-masq': { kind: 'boolean', help: "Hide the default network behind the host's addresses (default true)" },
  'ip-forward': { kind: 'boolean', help: 'Switch on IPv4 forwarding (default true)' },
  iptables: { kind: 'boolean', help: 'Write firewall rules (default true)' },
  'default-runtime': { kind: 'string', help: 'Default OCI runtime for containers (default: crun, else runc)' },
  'exec-opt': { kind: 'list', key: 'exec-opts', help: 'Runtime options (native.cgroupdriver=systemd or cgroupfs)' },
  'add-runtime': { kind: 'list', key: 'runtimes', help: 'Register a further OCI runtime (name=path)' },
  label: { kind: 'list', key: 'labels', help: 'Set key=value labels on the daemon' },
  dns: { kind: 'list', help: 'DNS server to use' },
  'dns-search': { kind: 'list', help: 'DNS search domains to use' },
  'dns-opt': { kind: 'list', key: 'dns-opts', help: 'DNS options to use' },
  'log-driver': { kind: 'string', help: 'Default driver for container logs (default "json-file")' },
  'log-opt': { kind: 'list', key: 'log-opts', help: 'Default log driver options for containers (key=value)' },
  init: { kind: 'boolean', help: 'Run an init in the container to forward signals and reap processes' },
  'init-path': { kind: 'string', help: 'Path of the init binary (default: tini or catatonit where installed)' },
  'insecure-registry': {
    kind: 'list',
    key: 'insecure-registries',
    help: 'Registry (host:port or CIDR) that may be reached by http or with any certificate',
  },
  'registry-mirror': { kind: 'list', key: 'registry-mirrors', help: 'Mirror of Docker Hub (URL)' },
  mirror: { kind: 'list', key: 'mirrors', help: 'Mirror of any registry (host=URL); tried in order' },
  'max-concurrent-downloads': { kind: 'integer', help: 'Layers downloaded at the same time (default 3)' },
  'max-concurrent-uploads': { kind: 'integer', help: 'Layers uploaded at the same time (default 5)' },
  'max-download-attempts': { kind: 'integer', help: 'How often a download is tried (default 5)' },
  'http-proxy': { kind: 'string', help: 'Proxy for http to registries (default: $HTTP_PROXY)' },
  'https-proxy': { kind: 'string', help: 'Proxy for https to registries (default: $HTTPS_PROXY)' },
  'no-proxy': { kind: 'string', help: 'Hosts that are reached without proxy (default: $NO_PROXY)' },
  'config-file': { kind: 'string', help: 'Daemon configuration file (default "/etc/berth/daemon.json")' },
  'allow-insecure-tcp': {
    kind: 'boolean',
    help: 'Listen on TCP addresses beyond loopback without TLS: whoever reaches them is root here',
  },
  validate: { kind: 'boolean', help: 'Validate the configuration and exit' },
  version: { kind: 'boolean', short: 'v', help: 'Print version information and quit' },
  help: { kind: 'boolean', help: 'Print usage' },
} satisfies Record<string, Option>;

type Name = keyof typeof options;
const notInFile = new Set<string>(['config-file', 'validate', 'version', 'help']);

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_CONFIG', message);
}

/**
 * Reads the command line and the configuration file.
 *
 * @throws invalidArgument with dockerd's texts: an unknown flag or key, a key given in both places, a wrong type.
 */
export function readInvocation(args: string[]): Invocation {
  const flags = parseFlags(args);
  if (flags.has('help')) return { action: 'help' };
  if (flags.has('version')) return { action: 'version' };
  const { values: fromFile, builder } = readConfigFile(flags);
  const config = toConfig(new Map([...fromFile, ...flags]), builder);
  return flags.has('validate') ? { action: 'validated' } : { action: 'run', config };
}

type Values = Map<string, string | boolean | string[]>;

function parseFlags(args: string[]): Values {
  const spec = Object.fromEntries(
    Object.entries<Option>(options).map(([name, option]) => [
      name,
      {
        type: option.kind === 'boolean' ? ('boolean' as const) : ('string' as const),
        multiple: option.kind === 'list',
        ...(option.short === undefined ? {} : { short: option.short }),
      },
    ]),
  );
  try {
    const [rest, switched] = takeSwitches(args);
    const { values, positionals } = parseArgs({ args: rest, options: spec, allowPositionals: true });
    if (positionals.length > 0) throw invalid(`"berthd" accepts no arguments.`);
    return new Map([
      ...Object.entries(values).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, toValue(value)] as const],
      ),
      ...switched,
    ]);
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    const flag = cause instanceof Error ? /'(-[^' ]+)/.exec(cause.message)?.[1] : undefined;
    throw invalid(flag === undefined ? String(cause) : `unknown or incomplete flag: ${flag}`);
  }
}

/** `--icc=false`: Go's flags take a value for a switch, which Node's parser does not. */
function takeSwitches(args: readonly string[]): [rest: string[], switched: Map<string, boolean>] {
  const switched = new Map<string, boolean>();
  const rest = args.filter((argument) => {
    const [, name = '', value = ''] = /^--([\w-]+)=(true|false|1|0|t|f)$/i.exec(argument) ?? [];
    const option = Object.entries<Option>(options).find(([known]) => known === name)?.[1];
    if (option?.kind !== 'boolean') return true;
    switched.set(name, /^[1t]/i.test(value));
    return false;
  });
  return [rest, switched];
}

function toValue(value: string | boolean | (string | boolean)[]): string | boolean | string[] {
  return Array.isArray(value) ? value.map(String) : value;
}

function readConfigFile(flags: Values): { values: Values; builder: BuilderConfig } {
  const given = flags.get('config-file');
  const path = typeof given === 'string' ? given : '/etc/berth/daemon.json';
  const problem = (reason: string): EngineError =>
    invalid(`unable to configure the daemon with file ${path}: ${reason}`);
  if (given === undefined && !existsSync(path)) {
    return { values: new Map(), builder: toBuilderConfig(undefined, problem) };
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw problem(cause instanceof Error ? cause.message : String(cause));
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw problem('it is not a JSON object');
  const byKey = new Map(
    Object.entries<Option>(options)
      .filter(([name]) => !notInFile.has(name))
      .map(([name, option]) => [option.key ?? name, name]),
  );
  const builder = toBuilderConfig('builder' in parsed ? parsed.builder : undefined, problem);
  const entries = flattenProxies(parsed, problem).filter(([key]) => key !== 'builder');
  const strange = entries.filter(([key]) => !byKey.has(key)).map(([key]) => key);
  if (strange.length > 0) {
    throw problem(`the following directives don't match any configuration option: ${strange.join(', ')}`);
  }
  const doubled = entries
    .filter(([key]) => flags.has(byKey.get(key) ?? key))
    .map(
      ([key, value]) =>
        `${key}: (from flag: ${JSON.stringify(flags.get(byKey.get(key) ?? key))}, from file: ${JSON.stringify(value)})`,
    );
  if (doubled.length > 0) {
    throw problem(
      `the following directives are specified both as a flag and in the configuration file: ${doubled.join(', ')}`,
    );
  }
  const values: Values = new Map(
    entries.map(([key, value]) => {
      const name = byKey.get(key) ?? key;
      return [name, decodeFileValue(name, key, value, problem)];
    }),
  );
  return { values, builder };
}

/** `proxies` holds the three keys that are also allowed beside it. */
function flattenProxies(file: object, problem: (reason: string) => EngineError): [string, unknown][] {
  return Object.entries(file).flatMap(([key, value]: [string, unknown]): [string, unknown][] => {
    if (key !== 'proxies') return [[key, value]];
    if (typeof value !== 'object' || value === null) throw problem('proxies: a map is expected');
    const inner: [string, unknown][] = Object.entries(value);
    const strange = inner.find(([name]) => !/^(http|https|no)-proxy$/.test(name));
    if (strange) {
      throw problem(`the following directives don't match any configuration option: proxies.${strange[0]}`);
    }
    return inner;
  });
}

function decodeFileValue(
  name: string,
  key: string,
  value: unknown,
  problem: (reason: string) => EngineError,
): string | boolean | string[] {
  const kind = Object.entries<Option>(options).find(([optionName]) => optionName === name)?.[1].kind;
  if (name === 'add-runtime' && typeof value === 'object' && value !== null) {
    return Object.entries(value).map(([runtime, details]) => {
      const path: unknown =
        typeof details === 'object' && details !== null && 'path' in details ? details.path : undefined;
      if (typeof path !== 'string') throw problem(`runtimes: ${runtime} needs a path`);
      return `${runtime}=${path}`;
    });
  }
  if (name === 'log-opt') return logOptionList(value, problem);
  if (name === 'default-address-pool') return poolList(value, problem);
  if (name === 'mirror') return mirrorList(value, problem);
  if (kind === 'integer' && typeof value === 'number') return String(value);
  if (kind === 'boolean' && typeof value === 'boolean') return value;
  if (kind === 'string' && typeof value === 'string') return value;
  if (kind === 'list' && Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw problem(`${key}: a ${kind === 'list' ? 'list of strings' : kind} is expected`);
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function toConfig(values: Values, builder: BuilderConfig): DaemonConfig {
  const text = (name: Name, fallback: string): string => {
    const value = values.get(name);
    return typeof value === 'string' && value !== '' ? value : fallback;
  };
  const list = (name: Name): string[] => {
    const value = values.get(name);
    return Array.isArray(value) ? value : [];
  };
  const flag = (name: Name, fallback: boolean): boolean => {
    const value = values.get(name);
    return typeof value === 'boolean' ? value : fallback;
  };
  const level = values.get('debug') === true ? 'debug' : levels.find((known) => known === text('log-level', 'info'));
  if (level === undefined) throw invalid(`unable to parse logging level: ${text('log-level', '')}`);
  const execRoot = text('exec-root', '/run/berth');
  const hosts = list('host');
  return {
    hosts: hosts.length > 0 ? hosts : ['unix:///run/berth/berth.sock'],
    dataRoot: text('data-root', '/var/lib/berth'),
    execRoot,
    pidfile: text('pidfile', `${execRoot}/berthd.pid`),
    logLevel: level,
    group: text('group', ''),
    bridge: text('bridge', 'berth0'),
    bip: text('bip', ''),
    network: toNetworkConfig({ text, list, flag }),
    defaultRuntime: text('default-runtime', ''),
    runtimes: Object.fromEntries(list('add-runtime').map(parseRuntime)),
    labels: list('label'),
    dns: list('dns'),
    dnsSearch: list('dns-search'),
    dnsOptions: list('dns-opt'),
    log: { Type: text('log-driver', 'json-file'), Config: Object.fromEntries(list('log-opt').map(parseLogOption)) },
    init: values.get('init') === true,
    initPath: text('init-path', ''),
    allowInsecureTcp: values.get('allow-insecure-tcp') === true,
    cgroupDriver: cgroupDriverOf(list('exec-opt')),
    registries: toRegistryConfig({ text, list }, process.env),
    builder,
  };
}

/** A map, as in dockerd's file. */
function logOptionList(value: unknown, problem: (reason: string) => EngineError): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem('log-opts: a map is expected');
  return Object.entries(value).map(([name, option]: [string, unknown]) => {
    if (typeof option !== 'string') throw problem(`log-opts: ${name}: a string is expected`);
    return `${name}=${option}`;
  });
}

function parseLogOption(text: string): [string, string] {
  const separator = text.indexOf('=');
  if (separator < 1) throw invalid(`invalid log-opt "${text}": name=value is expected`);
  return [text.slice(0, separator), text.slice(separator + 1)];
}

/** As dockerd: the one option there is; others are passed over, and so is the case of its name. */
function cgroupDriverOf(execOptions: readonly string[]): 'cgroupfs' | 'systemd' | undefined {
  for (const option of execOptions) {
    const [key = '', value] = option.split('=', 2).map((part) => part.trim());
    if (value === undefined) throw invalid(`unable to parse exec-opts: invalid key=value ${option}`);
    if (key.toLowerCase() !== 'native.cgroupdriver') continue;
    if (value === 'cgroupfs' || value === 'systemd') return value;
    throw invalid(`native.cgroupdriver option ${value} not supported`);
  }
  return undefined;
}

function parseRuntime(text: string): [string, string] {
  const separator = text.indexOf('=');
  if (separator < 1) throw invalid(`invalid runtime "${text}": name=path is expected`);
  return [text.slice(0, separator), text.slice(separator + 1)];
}

/** The text of `berthd --help`. */
export function usage(): string {
  const rows = Object.entries<Option>(options).map(([name, option]) => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    const type = option.kind === 'boolean' ? '' : ` ${option.kind}`;
    return [`  ${short}--${name}${type}`, option.help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 3;
  return `\nUsage:  berthd [OPTIONS]\n\nA container engine that speaks Docker's API.\n\nOptions:\n${rows.map(([left, right]) => `${left.padEnd(width)}${right}\n`).join('')}`;
}
