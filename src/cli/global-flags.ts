import { join } from 'node:path';
import { bool, type FlagSpec, type FlagSpecs, list, string } from './framework/flags.ts';

/** The flags before the command, with `DOCKER_CONFIG` and friends already counted in. */
export interface GlobalFlags {
  readonly configDir: string;
  readonly context: string;
  readonly debug: boolean;
  readonly hosts: readonly string[];
  readonly logLevel: string;
  readonly tls: boolean;
  readonly tlsVerify: boolean;
  readonly tlsCaCert: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
  /** Names of those of the three flags above that were given, so that a missing file is an error. */
  readonly tlsFilesGiven: ReadonlySet<string>;
  readonly version: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

function defaultConfigDir(env: Environment): string {
  return env['DOCKER_CONFIG'] || join(env['HOME'] || process.getBuiltinModule('node:os').homedir(), '.docker');
}

/** The table of global flags; their defaults depend on the environment. */
export function globalFlagSpecs(env: Environment): FlagSpecs {
  const configDir = defaultConfigDir(env);
  const certDir = env['DOCKER_CERT_PATH'] || configDir;
  const pem = (what: string, file: string): FlagSpec<string> => string(what, { initial: join(certDir, file) });
  return {
    config: string('Location of client config files', { initial: configDir }),
    context: string(
      'Name of the context to use to connect to the daemon (overrides DOCKER_HOST and the context chosen with "context use")',
      { short: 'c' },
    ),
    debug: bool('Enable debug mode', { short: 'D' }),
    host: list('Daemon socket to connect to', { short: 'H' }),
    'log-level': string('Set the logging level ("debug", "info", "warn", "error", "fatal")', {
      short: 'l',
      initial: 'info',
    }),
    tls: bool('Use TLS; implied by --tlsverify'),
    tlscacert: pem('Trust certs signed only by this CA', 'ca.pem'),
    tlscert: pem('Path to TLS certificate file', 'cert.pem'),
    tlskey: pem('Path to TLS key file', 'key.pem'),
    tlsverify: bool('Use TLS and verify the remote', { initial: false }),
    version: bool('Print version information and quit', { short: 'v' }),
  };
}

/** The table's values as {@link GlobalFlags}. */
export function readGlobalFlags(
  values: Record<string, unknown>,
  given: ReadonlySet<string>,
  env: Environment,
): GlobalFlags {
  const text = (name: string): string => String(values[name] ?? '');
  const tlsVerify = values['tlsverify'] === true || (!given.has('tlsverify') && Boolean(env['DOCKER_TLS_VERIFY']));
  const hosts = values['host'];
  return {
    configDir: text('config'),
    context: text('context'),
    debug: values['debug'] === true,
    hosts: Array.isArray(hosts) ? hosts.map(String) : [],
    logLevel: text('log-level'),
    tls: tlsVerify || values['tls'] === true || Boolean(env['DOCKER_TLS']),
    tlsVerify,
    tlsCaCert: text('tlscacert'),
    tlsCert: text('tlscert'),
    tlsKey: text('tlskey'),
    tlsFilesGiven: new Set(['tlscacert', 'tlscert', 'tlskey'].filter((name) => given.has(name))),
    version: values['version'] === true,
  };
}
