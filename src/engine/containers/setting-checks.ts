import { posix } from 'node:path';
import { EngineError, findEngineError } from '#errors';
import { buildHostsFile, normalizeCapabilities, parseSecurityOptions, ulimitNames } from '#runtime';
import type { ContainerConfig, HostConfig, RestartPolicy, Ulimit } from '#spec';

function invalid(code: string, message: string): EngineError {
  return new EngineError('invalidArgument', code, message);
}

const maxHostnameLength = 63;
const restartPolicies = new Set(['', 'no', 'always', 'unless-stopped', 'on-failure']);

/** @throws invalidArgument with Docker's texts. */
export function checkRestartPolicy({ Name: policy, MaximumRetryCount: retries }: RestartPolicy): void {
  if (!restartPolicies.has(policy)) {
    throw invalid(
      'INVALID_RESTART_POLICY',
      `invalid restart policy: unknown policy '${policy}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (policy === '') return;
  if (policy !== 'on-failure' && retries !== 0) {
    throw invalid(
      'INVALID_RESTART_POLICY',
      `invalid restart policy: maximum retry count can only be used with 'on-failure'${retries < 0 ? ' and cannot be negative' : ''}`,
    );
  }
  if (retries < 0) {
    throw invalid('INVALID_RESTART_POLICY', 'invalid restart policy: maximum retry count cannot be negative');
  }
}

/**
 * Checks single settings of a new container that would else fail at its start, or do nothing.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function checkSettings(host: HostConfig, config: ContainerConfig, capabilities: readonly string[]): void {
  if (config.Hostname.length > maxHostnameLength) {
    throw invalid(
      'HOSTNAME_TOO_LONG',
      `hostname "${config.Hostname}" is too long (maximum ${maxHostnameLength} bytes)`,
    );
  }
  if (host.OomScoreAdj < -1000 || host.OomScoreAdj > 1000) {
    throw invalid('INVALID_OOM_SCORE', `Invalid value ${host.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  if (Object.hasOwn(host.Annotations ?? {}, '')) {
    throw invalid('EMPTY_ANNOTATION', 'invalid Annotations: the empty string is not permitted as an annotation key');
  }
  if (!['', 'default'].includes(host.Isolation)) {
    throw invalid('INVALID_ISOLATION', `invalid isolation '${host.Isolation}' on linux`);
  }
  if (Object.keys(host.StorageOpt ?? {}).length > 0) {
    throw invalid(
      'STORAGE_OPT_UNSUPPORTED',
      "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
    );
  }
  if (!['', 'host'].includes(host.UsernsMode))
    throw invalid('INVALID_USERNS_MODE', `invalid user namespace mode: ${host.UsernsMode}`);
  const emptyEnv = (config.Env ?? []).find((entry) => entry === '' || entry.startsWith('='));
  if (emptyEnv !== undefined) throw invalid('INVALID_ENV', `invalid environment variable: ${emptyEnv}`);
  checkUlimits(host.Ulimits ?? []);
  parseSecurityOptions(host.SecurityOpt ?? []);
  for (const key of ['CapAdd', 'CapDrop'] as const) {
    named(`invalid ${key}`, () => normalizeCapabilities(host[key] ?? [], capabilities));
  }
  checkTmpfs(Object.keys(host.Tmpfs ?? {}));
  checkExtraHosts(host.ExtraHosts ?? []);
}

function checkUlimits(ulimits: readonly Ulimit[]): void {
  for (const { Name: name, Soft: soft, Hard: hard } of ulimits) {
    if (!ulimitNames.includes(name.toLowerCase())) throw invalid('UNKNOWN_ULIMIT', `invalid ulimit type: ${name}`);
    if (hard >= 0 && (soft > hard || soft < 0)) {
      throw invalid(
        'ULIMIT_ABOVE_HARD',
        `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`,
      );
    }
  }
}

function checkTmpfs(targets: readonly string[]): void {
  for (const target of targets) {
    if (!target.startsWith('/')) {
      throw invalid('INVALID_TMPFS', `invalid mount path: '${target}' mount path must be absolute`);
    }
    if (posix.normalize(target) === '/') {
      throw invalid('INVALID_TMPFS', "invalid specification: destination can't be '/'");
    }
  }
}

/** What `host-gateway` means is known at the start only. */
function checkExtraHosts(extraHosts: readonly string[]): void {
  buildHostsFile({ hostname: '', domainname: '', addresses: [], extraHosts, hostGateway: ['127.0.0.1'] });
}

function named(what: string, work: () => unknown): void {
  try {
    work();
  } catch (error) {
    const known = findEngineError(error);
    throw known ? new EngineError(known.kind, known.code, `${what}: ${known.message}`, { cause: error }) : error;
  }
}
