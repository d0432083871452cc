import * as v from 'valibot';
import { EngineError } from '#errors';
import type { oci } from '#spec';
import { profileArchitectures, type SeccompTarget } from './machine.ts';

const list = v.nullish(v.array(v.string()), []);
const filterSchema = v.nullish(v.object({ caps: list, arches: list, minKernel: v.nullish(v.string(), '') }));
const argSchema = v.object({
  index: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(5)),
  value: v.number(),
  valueTwo: v.optional(v.number(), 0),
  op: v.string(),
});
const errno = v.nullish(v.number());
const profileSchema = v.object({
  defaultAction: v.string(),
  defaultErrnoRet: errno,
  architectures: list,
  archMap: v.nullish(v.array(v.object({ architecture: v.string(), subArchitectures: list })), []),
  flags: list,
  syscalls: v.nullish(
    v.array(
      v.object({
        name: v.nullish(v.string(), ''),
        names: list,
        action: v.string(),
        errnoRet: errno,
        args: v.nullish(v.array(argSchema), []),
        includes: filterSchema,
        excludes: filterSchema,
      }),
    ),
    [],
  ),
});
type Profile = v.InferOutput<typeof profileSchema>;
type Filter = v.InferOutput<typeof filterSchema>;

/**
 * A profile in Docker's form, its conditions decided for one container.
 *
 * @throws invalidArgument when it is no such profile.
 */
export function customSeccompProfile(json: string, target: SeccompTarget): oci.RuntimeSeccomp {
  const profile = decode(json);
  const syscalls = profile.syscalls.filter(
    (rule) => meets(rule.includes, target) && !isExcluded(rule.excludes, target),
  );
  return {
    defaultAction: profile.defaultAction,
    ...(typeof profile.defaultErrnoRet === 'number' ? { defaultErrnoRet: profile.defaultErrnoRet } : {}),
    architectures: architecturesFor(profile, target),
    ...(profile.flags.length > 0 ? { flags: profile.flags } : {}),
    syscalls: syscalls.map((rule) => ({
      names: rule.name === '' ? rule.names : [rule.name],
      action: rule.action,
      ...(typeof rule.errnoRet === 'number' ? { errnoRet: rule.errnoRet } : {}),
      ...(rule.args.length > 0 ? { args: rule.args } : {}),
    })),
  };
}

function decode(json: string): Profile {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw invalid(`decoding seccomp profile failed: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const result = v.safeParse(profileSchema, value);
  if (!result.success) throw invalid(`decoding seccomp profile failed: ${result.issues[0].message}`);
  const profile = result.output;
  if (profile.architectures.length > 0 && profile.archMap.length > 0) {
    throw invalid("both 'architectures' and 'archMap' are specified in the seccomp profile, use either one");
  }
  if (profile.syscalls.some((rule) => rule.name !== '' && rule.names.length > 0)) {
    throw invalid("use either 'name' or 'names' in a seccomp rule, not both");
  }
  return profile;
}

function architecturesFor(profile: Profile, target: SeccompTarget): string[] {
  if (profile.archMap.length === 0) return profile.architectures;
  const own = target.arch === 'arm64' ? 'SCMP_ARCH_AARCH64' : 'SCMP_ARCH_X86_64';
  const entry = profile.archMap.find(({ architecture }) => architecture === own);
  return entry ? [entry.architecture, ...entry.subArchitectures] : [];
}

function meets(filter: Filter, target: SeccompTarget): boolean {
  if (filter === null || filter === undefined) return true;
  const own = profileArchitectures[target.arch]?.slice(0, 1) ?? [];
  return (
    (filter.arches.length === 0 || filter.arches.some((arch) => own.includes(arch))) &&
    filter.caps.every((capability) => target.capabilities.includes(capability)) &&
    (filter.minKernel === '' || isAtLeast(target.kernel, filter.minKernel))
  );
}

/** One match is enough to exclude. */
function isExcluded(filter: Filter, target: SeccompTarget): boolean {
  if (filter === null || filter === undefined) return false;
  const own = profileArchitectures[target.arch]?.slice(0, 1) ?? [];
  return (
    filter.arches.some((arch) => own.includes(arch)) ||
    filter.caps.some((capability) => target.capabilities.includes(capability)) ||
    (filter.minKernel !== '' && isAtLeast(target.kernel, filter.minKernel))
  );
}

function isAtLeast([major, minor]: readonly [number, number], wanted: string): boolean {
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_SECCOMP_PROFILE', message);
}
