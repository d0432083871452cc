import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readInvocation, usage, type DaemonConfig } from './config.ts';

function withFile(t: TestContext, content: unknown): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-config-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'daemon.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function configOf(args: string[]): DaemonConfig {
  const invocation = readInvocation(args);
  assert.equal(invocation.action, 'run');
  return 'config' in invocation ? invocation.config : assert.fail();
}

test('flags win nothing over the file: a key in both is refused, as by dockerd', (t) => {
  const file = withFile(t, { hosts: ['unix:///a'], 'log-level': 'warn', labels: ['a=b'] });
  const config = configOf(['--config-file', file, '--data-root', '/data']);
  assert.deepEqual(config.hosts, ['unix:///a']);
  assert.equal(config.logLevel, 'warn');
  assert.equal(config.dataRoot, '/data');
  assert.throws(
    () => readInvocation(['--config-file', file, '-H', 'unix:///b']),
    /specified both as a flag and in the configuration file: hosts/,
  );
});

test('unknown keys, wrong types and broken files are told with the file name', (t) => {
  const read = (content: unknown): unknown => readInvocation(['--config-file', withFile(t, content)]);
  assert.throws(
    () => read({ 'no-such': 1 }),
    /daemon\.json: the following directives don't match any configuration option: no-such/,
  );
  assert.throws(() => read({ debug: 'yes' }), /debug: a boolean is expected/);
  assert.throws(() => read('{'), /unable to configure the daemon with file .*daemon\.json/);
  assert.throws(() => read([]), /it is not a JSON object/);
});

test('defaults, runtimes, debug, help and version', (t) => {
  const file = withFile(t, { runtimes: { mine: { path: '/opt/mine' } } });
  const config = configOf(['--config-file', file, '-D']);
  assert.deepEqual(config.hosts, ['unix:///run/berth/berth.sock']);
  assert.equal(config.pidfile, '/run/berth/berthd.pid');
  assert.equal(config.logLevel, 'debug');
  assert.deepEqual(config.runtimes, { mine: '/opt/mine' });
  assert.equal(readInvocation(['--version']).action, 'version');
  assert.equal(readInvocation(['--validate', '--config-file', file]).action, 'validated');
  assert.throws(() => readInvocation(['--nope']), /unknown or incomplete flag: --nope/);
  assert.throws(() => readInvocation(['extra']), /accepts no arguments/);
  assert.match(usage(), /-H, --host list {3}/);
});

test('the cgroup driver is an exec-opt, as with dockerd', (t) => {
  assert.equal(configOf([]).cgroupDriver, undefined);
  assert.equal(configOf(['--exec-opt', 'native.cgroupdriver=systemd']).cgroupDriver, 'systemd');
  const file = withFile(t, { 'exec-opts': ['isolation=x', 'native.cgroupdriver=cgroupfs'] });
  assert.equal(configOf(['--config-file', file]).cgroupDriver, 'cgroupfs');
  assert.throws(() => configOf(['--exec-opt', 'native.cgroupdriver=x']), /native\.cgroupdriver option x not supported/);
  assert.throws(() => configOf(['--exec-opt', 'x']), /unable to parse exec-opts: invalid key=value x/);
});

test('network settings come from flags and from the file, and switches take a value', (t) => {
  const pools = [{ base: '10.99.0.0/16', size: 26 }];
  const file = withFile(t, { 'default-address-pools': pools, 'ip-masq': false, mtu: 1400, 'respect-firewall': true });
  const { network } = configOf(['--config-file', file, '--icc=false', '--iptables', '--fixed-cidr', '10.1.0.0/25']);
  assert.deepEqual(network, {
    pools: [{ space: { base: 0x0a630000, prefixLength: 16 }, prefixLength: 26 }],
    fixedCidr: '10.1.0.0/25',
    mtu: 1400,
    interContainer: false,
    ipMasquerade: false,
    ipForward: true,
    firewall: true,
    hostBinding: '0.0.0.0',
    respectFirewall: true,
    warnPublicPorts: false,
  });
  assert.throws(() => configOf(['--ip', 'here']), /invalid IP address: here/);
  assert.equal(configOf([]).network.pools, undefined);
  for (const pool of ['10.0.0.0/8', 'base=10.0.0.0/24,size=16', 'base=10.0.0.0/8,size=31', 'base=x,size=24']) {
    assert.throws(() => configOf(['--default-address-pool', pool]), { kind: 'invalidArgument' });
  }
  assert.throws(() => configOf(['--mtu', 'huge']), /invalid MTU/);
  assert.throws(
    () => readInvocation(['--config-file', withFile(t, { 'default-address-pools': ['10.0.0.0/8'] })]),
    /a list of objects with base and size is expected/,
  );
});

test('the limits of the build cache come from the file', (t) => {
  const policies = (gc: unknown): unknown =>
    configOf(['--config-file', withFile(t, { builder: { gc } })]).builder.policies;
  assert.equal(configOf([]).builder.policies, undefined);
  assert.equal(policies({ enabled: true }), undefined);
  assert.deepEqual(policies({ enabled: false }), []);
  const policy = [
    { keepStorage: '10GB', filter: ['unused-for=2200h'] },
    { maxUsedSpace: '1.5k', all: true },
  ];
  const filters = new Map([['unused-for', ['2200h']]]);
  const none = { reservedBytes: undefined, maxUsedBytes: undefined, minFreeBytes: undefined };
  assert.deepEqual(policies({ policy }), [
    { ...none, all: false, filters, reservedBytes: 10 * 1024 ** 3 },
    { ...none, all: true, filters: new Map(), maxUsedBytes: 1536 },
  ]);
  assert.throws(() => policies({ nope: 1 }), /builder\.gc\.nope/);
  assert.throws(() => policies({ policy: [{ keepStorage: 'much' }] }), /a size is expected/);
});
