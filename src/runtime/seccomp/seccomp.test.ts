import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { oci } from '#spec';
import { defaultCapabilities } from '../spec/capabilities.ts';
import { resolveSeccomp, type SeccompTarget } from './index.ts';

const target: SeccompTarget = { arch: 'x64', capabilities: defaultCapabilities, kernel: [6, 1] };

/** What the filter says of a call with this first argument, as libseccomp decides: the first rule that matches. */
function verdict(filter: oci.RuntimeSeccomp | undefined, name: string, arg = 0): string {
  for (const rule of filter?.syscalls ?? []) {
    if (!rule.names.includes(name)) continue;
    const matches = (rule.args ?? []).every(({ value, valueTwo = 0, op }) => {
      if (op === 'SCMP_CMP_EQ') return arg === value;
      if (op === 'SCMP_CMP_LT') return arg < value;
      if (op === 'SCMP_CMP_GT') return arg > value;
      return (BigInt(arg) & BigInt(value)) === BigInt(valueTwo);
    });
    if (matches) return rule.errnoRet === undefined ? rule.action : `${rule.action} ${rule.errnoRet}`;
  }
  return filter?.defaultAction ?? 'none';
}
const allowed = 'SCMP_ACT_ALLOW';
const refused = 'SCMP_ACT_ERRNO';

test('the default filter lets programs work, those of 32 bits too', () => {
  const filter = resolveSeccomp(undefined, false, target);
  for (const name of ['read', 'openat', 'execve', 'futex', 'clone', 'ptrace', 'chroot', 'socketcall', 'stat64']) {
    assert.equal(verdict(filter, name), allowed, name);
  }
  assert.deepEqual(filter?.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  assert.equal(verdict(filter, 'arch_prctl'), allowed);
  assert.equal(filter?.defaultErrnoRet, 1);
});

test('the default filter denies what breaks out', () => {
  const filter = resolveSeccomp(undefined, false, target);
  for (const name of [
    'keyctl',
    'add_key',
    'request_key',
    'bpf',
    'mount',
    'umount2',
    'unshare',
    'setns',
    'kexec_load',
  ]) {
    assert.equal(verdict(filter, name), refused, name);
  }
  for (const name of [
    'init_module',
    'reboot',
    'open_by_handle_at',
    'perf_event_open',
    'userfaultfd',
    'io_uring_setup',
  ]) {
    assert.equal(verdict(filter, name), refused, name);
  }
  assert.equal(verdict(filter, 'clone', 0x10000000), refused, 'a user namespace');
  assert.equal(verdict(filter, 'clone', 0x11), allowed, 'a process');
  assert.equal(verdict(filter, 'clone3'), `${refused} 38`);
  assert.equal(verdict(filter, 'personality', 0x40000), refused);
});

test('the default filter denies AF_ALG and AF_VSOCK sockets alone', () => {
  const filter = resolveSeccomp(undefined, false, target);
  const families = Array.from({ length: 50 }, (_, family) => family);
  assert.deepEqual(
    families.filter((family) => verdict(filter, 'socket', family) !== allowed),
    [38, 40],
  );
});

test('capabilities open what belongs to them', () => {
  const filter = resolveSeccomp(undefined, false, { ...target, capabilities: ['CAP_SYS_ADMIN', 'CAP_SYS_TIME'] });
  for (const name of ['mount', 'unshare', 'bpf', 'clone3', 'clock_settime'])
    assert.equal(verdict(filter, name), allowed);
  assert.equal(verdict(filter, 'clone', 0x10000000), allowed);
  assert.equal(verdict(filter, 'chroot'), refused);
});

test('another machine gets its own architectures', () => {
  const filter = resolveSeccomp('builtin', false, { ...target, arch: 'arm64' });
  assert.deepEqual(filter?.architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  assert.equal(verdict(filter, 'cacheflush'), allowed);
  assert.equal(verdict(filter, 'modify_ldt'), refused);
});

test('no filter for the unconfined and the privileged, unless they bring one', () => {
  assert.equal(resolveSeccomp('unconfined', false, target), undefined);
  assert.equal(resolveSeccomp(undefined, true, target), undefined);
  assert.equal(resolveSeccomp('{"defaultAction":"SCMP_ACT_LOG"}', true, target)?.defaultAction, 'SCMP_ACT_LOG');
});

test("a profile in Docker's form has its conditions decided", () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
    syscalls: [
      { names: ['a'], action: 'SCMP_ACT_ALLOW', args: null, includes: {}, excludes: {} },
      { name: 'b', action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_SYS_ADMIN'] } },
      { names: ['c'], action: 'SCMP_ACT_ALLOW', excludes: { caps: ['CAP_SYS_ADMIN'] } },
      { names: ['d'], action: 'SCMP_ACT_ALLOW', includes: { arches: ['arm64'] } },
      { names: ['e'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '4.8' } },
      { names: ['f'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '6.2' } },
      { names: ['g'], action: 'SCMP_ACT_ERRNO', errnoRet: 5, args: [{ index: 1, value: 2, op: 'SCMP_CMP_EQ' }] },
    ],
  };
  assert.deepEqual(resolveSeccomp(JSON.stringify(profile), false, target), {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
    syscalls: [
      { names: ['a'], action: 'SCMP_ACT_ALLOW' },
      { names: ['c'], action: 'SCMP_ACT_ALLOW' },
      { names: ['e'], action: 'SCMP_ACT_ALLOW' },
      {
        names: ['g'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 5,
        args: [{ index: 1, value: 2, valueTwo: 0, op: 'SCMP_CMP_EQ' }],
      },
    ],
  });
});

test('what is no profile is refused', () => {
  for (const text of ['{', '[]', '{}', '{"defaultAction":"x","syscalls":[{"name":"a","names":["b"],"action":"y"}]}']) {
    assert.throws(() => resolveSeccomp(text, false, target), { code: 'INVALID_SECCOMP_PROFILE' }, text);
  }
});
