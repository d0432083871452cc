import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCommit, decodeContainerCreate, decodeExecCreate, decodeUpdate } from './requests.ts';

function message(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'no error';
}

test('decodeContainerCreate fills in zero values', () => {
  const { config, hostConfig, networkingConfig } = decodeContainerCreate({ Image: 'busybox' });
  assert.deepEqual(config, {
    Hostname: '',
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: null,
    Image: 'busybox',
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
  });
  assert.deepEqual(hostConfig.RestartPolicy, { Name: '', MaximumRetryCount: 0 });
  assert.deepEqual(hostConfig.LogConfig, { Type: '', Config: {} });
  assert.deepEqual(hostConfig.ConsoleSize, [0, 0]);
  assert.equal(hostConfig.MaskedPaths, null);
  assert.equal(hostConfig.MemorySwappiness, null);
  assert.equal('Init' in hostConfig, false);
  assert.deepEqual(networkingConfig, { EndpointsConfig: {} });
});

test('decodeContainerCreate matches names in any case, ignores unknown ones, takes null for zero', () => {
  const { config, hostConfig } = decodeContainerCreate({
    image: 'a',
    IMAGE: 'b',
    cmd: null,
    unknown: { deep: [1] },
    hostconfig: { memory: 5, Binds: null, Nope: true, MASKEDPATHS: [], init: false, PidsLimit: 0 },
    NetworkingConfig: null,
  });
  assert.equal(config.Image, 'b');
  assert.equal(config.Cmd, null);
  assert.equal(hostConfig.Memory, 5);
  assert.deepEqual(hostConfig.MaskedPaths, []);
  assert.equal(hostConfig.Init, false);
  assert.equal(hostConfig.PidsLimit, 0);
});

test('decodeContainerCreate takes a command as string or list', () => {
  const decode = (Cmd: unknown): string[] | null => decodeContainerCreate({ Image: 'x', Cmd }).config.Cmd;
  assert.deepEqual(decode('ls -l'), ['ls -l']);
  assert.deepEqual(decode(['ls', null]), ['ls', '']);
  assert.deepEqual(decode([]), []);
});

test('decodeContainerCreate keeps maps as they are, `__proto__` included', () => {
  const body: unknown = JSON.parse(
    '{"Image":"x","Labels":{"__proto__":"p","a":"b"},"ExposedPorts":{"80/tcp":{}},"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"8080"}],"81/tcp":null}}}',
  );
  const { config, hostConfig } = decodeContainerCreate(body);
  assert.equal(JSON.stringify(config.Labels), '{"__proto__":"p","a":"b"}');
  assert.deepEqual(config.ExposedPorts, { '80/tcp': {} });
  assert.deepEqual(hostConfig.PortBindings, { '80/tcp': [{ HostIp: '', HostPort: '8080' }], '81/tcp': null });
});

test('decodeContainerCreate names the field of a wrong type', () => {
  const create = (body: object): string => message(() => decodeContainerCreate({ Image: 'x', ...body }));
  assert.equal(
    create({ Image: 5 }),
    'invalid JSON: json: cannot unmarshal number into Go struct field Image of type string',
  );
  assert.equal(
    create({ HostConfig: { Memory: '1g' } }),
    'invalid JSON: json: cannot unmarshal string into Go struct field HostConfig.Memory of type int64',
  );
  assert.equal(
    create({ HostConfig: { Memory: 1.5 } }),
    'invalid JSON: json: cannot unmarshal number 1.5 into Go struct field HostConfig.Memory of type int64',
  );
  assert.match(create({ HostConfig: { BlkioWeight: 70_000 } }), /number 70000 .* of type uint16/);
  assert.match(create({ HostConfig: [] }), /cannot unmarshal array .* HostConfig/);
  assert.match(create({ Env: 'A=b' }), /cannot unmarshal string .* Env/);
  assert.match(create({ Tty: 'true' }), /cannot unmarshal string .* Tty of type bool/);
});

test('decodeContainerCreate refuses a body without config', () => {
  const empty = 'config cannot be empty in order to create a container';
  assert.equal(
    message(() => decodeContainerCreate({})),
    empty,
  );
  assert.equal(
    message(() => decodeContainerCreate(null)),
    empty,
  );
  assert.equal(
    message(() => decodeContainerCreate({ HostConfig: {}, Nothing: 1 })),
    empty,
  );
  assert.match(
    message(() => decodeContainerCreate(undefined)),
    /got EOF/,
  );
  assert.match(
    message(() => decodeContainerCreate([])),
    /cannot unmarshal array/,
  );
});

test('decodeExecCreate, decodeUpdate and decodeCommit', () => {
  assert.equal(
    message(() => decodeExecCreate({ AttachStdout: true })),
    'No exec command specified',
  );
  assert.equal(
    message(() => decodeExecCreate(undefined)),
    'No exec command specified',
  );
  assert.deepEqual(decodeExecCreate({ Cmd: ['true'] }).Cmd, ['true']);
  const update = decodeUpdate({ Memory: 4, RestartPolicy: { Name: 'always' } });
  assert.equal(update.Memory, 4);
  assert.equal(update.RestartPolicy.Name, 'always');
  assert.equal(update.PidsLimit, null);
  assert.equal(decodeCommit(undefined), undefined);
  assert.equal(decodeCommit(null), undefined);
  assert.equal(decodeCommit({}), undefined);
  assert.deepEqual(decodeCommit({ Cmd: ['x'] })?.Cmd, ['x']);
});
