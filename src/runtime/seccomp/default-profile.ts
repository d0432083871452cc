import type { oci } from '#spec';
import { allowedByArchitecture, allowedByCapability, alwaysAllowed } from './default-syscalls.ts';
import { type SeccompTarget, seccompArchitectures } from './machine.ts';

const EPERM = 1;
const ENOSYS = 38;
const AF_ALG = 38;
const AF_VSOCK = 40;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACE_FLAGS = 0x7e020000;
/** PER_LINUX, PER_LINUX32, each also with UNAME26, and "tell me mine". */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** The filter of a container that asks for none: Docker's semantics. */
export function defaultSeccompProfile(target: SeccompTarget): oci.RuntimeSeccomp {
  const names = new Set([
    ...alwaysAllowed,
    ...(allowedByArchitecture[target.arch] ?? []),
    ...target.capabilities.flatMap((capability) => allowedByCapability[capability] ?? []),
  ]);
  const mayMakeNamespaces = target.capabilities.includes('CAP_SYS_ADMIN');
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: [...(seccompArchitectures[target.arch] ?? [])],
    syscalls: [
      { names: [...names], action: 'SCMP_ACT_ALLOW' },
      ...socketRules(),
      ...PERSONALITIES.map((value) => allowIf('personality', { index: 0, value, op: 'SCMP_CMP_EQ' })),
      ...(mayMakeNamespaces ? [] : cloneRules()),
    ],
  };
}

/** Every address family but two: the host's vsock, and the kernel's crypto (a steady source of holes). */
function socketRules(): oci.RuntimeSeccompSyscall[] {
  return [
    allowIf('socket', { index: 0, value: AF_ALG, op: 'SCMP_CMP_LT' }),
    allowIf('socket', { index: 0, value: AF_ALG + 1, op: 'SCMP_CMP_EQ' }),
    allowIf('socket', { index: 0, value: AF_VSOCK, op: 'SCMP_CMP_GT' }),
  ];
}

/** Processes but no namespaces. `clone3` hides its flags in memory; told that it does not exist, programs use `clone`. */
function cloneRules(): oci.RuntimeSeccompSyscall[] {
  return [
    allowIf('clone', { index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }),
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ];
}

function allowIf(name: string, arg: oci.RuntimeSeccompArg): oci.RuntimeSeccompSyscall {
  return { names: [name], action: 'SCMP_ACT_ALLOW', args: [arg] };
}
