import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerCreateRequest, ContainerInspect, EventMessage, ImageInspect, ImageSummary } from '#spec';
import { decodeContainerCreate } from '../decode/requests.ts';
import * as containers from './containers.ts';
import { upgradeCreateRequest } from './create.ts';
import * as images from './images.ts';
import { diskUsageForVersion, eventForVersion, infoForVersion } from './system.ts';

/* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the shapes read only what the tests give */
const part = <T>(value: unknown): T => value as T;

function upgraded(version: number, body: object): { request: ContainerCreateRequest; warnings: string[] } {
  const request = decodeContainerCreate({ Image: 'x', ...body });
  return { request, warnings: upgradeCreateRequest(version, request) };
}

test('a create request names the default network', () => {
  const { request } = upgraded(51, {
    HostConfig: { NetworkMode: 'default' },
    NetworkingConfig: { EndpointsConfig: { default: { Aliases: ['a'] } } },
  });
  assert.equal(request.hostConfig.NetworkMode, 'bridge');
  assert.deepEqual(Object.keys(request.networkingConfig.EndpointsConfig), ['bridge']);
  assert.equal(upgraded(51, { HostConfig: { NetworkMode: 'none' } }).request.hostConfig.NetworkMode, 'none');
});

test('a create request of an old version means what it meant then', () => {
  const tmpfsOnBind = { Type: 'bind', Target: '/t', Source: '/s', TmpfsOptions: {}, ReadOnly: true };
  const body = {
    Healthcheck: { Test: ['CMD', 'x'], StartInterval: 5 },
    HostConfig: { Annotations: { a: 'b' }, ConsoleSize: [1, 2], Mounts: [tmpfsOnBind], PidsLimit: -1 },
    NetworkingConfig: { EndpointsConfig: { bridge: { GwPriority: 3 } } },
  };
  const { request } = upgraded(39, body);
  assert.equal(request.hostConfig.IpcMode, 'shareable');
  assert.equal(request.hostConfig.Annotations, undefined);
  assert.deepEqual(request.hostConfig.ConsoleSize, [0, 0]);
  assert.equal(request.hostConfig.PidsLimit, null);
  assert.equal(request.config.Healthcheck?.StartInterval, undefined);
  assert.equal(request.networkingConfig.EndpointsConfig['bridge']?.GwPriority, 0);
  assert.deepEqual(request.hostConfig.Mounts, [
    { Type: 'bind', Source: '/s', Target: '/t', ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } },
  ]);
  assert.throws(() => upgraded(42, body), { message: 'TmpfsOptions must not be specified on mount type "bind"' });
  assert.equal(upgraded(51, {}).request.hostConfig.IpcMode, '');
});

test('a create request is refused what its version does not have', () => {
  const mounts = (mount: object): object => ({ HostConfig: { Mounts: [{ Target: '/t', ...mount }] } });
  assert.throws(() => upgraded(44, mounts({ Type: 'volume', VolumeOptions: { Subpath: 'a' } })), /needs API v1\.45/);
  assert.throws(() => upgraded(47, mounts({ Type: 'image' })), /needs API v1\.48/);
  const bind = mounts({ Type: 'bind', BindOptions: { ReadOnlyForceRecursive: true } });
  assert.throws(() => upgraded(43, bind), /needs API v1\.44/);
  const two = { NetworkingConfig: { EndpointsConfig: { a: {}, b: {} } } };
  assert.throws(() => upgraded(43, two), {
    message: 'Container cannot be created with multiple network endpoints: a, b',
  });
  upgraded(44, two);
});

test('a container-wide MAC address moves to the main endpoint', () => {
  const { request, warnings } = upgraded(44, { MacAddress: '02:00:00:00:00:01' });
  assert.equal(request.networkingConfig.EndpointsConfig['bridge']?.MacAddress, '02:00:00:00:00:01');
  assert.equal(warnings.length, 1);
  assert.deepEqual(upgraded(43, { MacAddress: '02:00:00:00:00:01' }).warnings, []);
  const clash = {
    MacAddress: '02:00:00:00:00:01',
    NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress: '02:00:00:00:00:02' } } },
  };
  assert.throws(() => upgraded(44, clash), /must match the endpoint-specific MAC address/);
});

test('images have VirtualSize before 1.44 only, descriptors since 1.48, counts since 1.51', () => {
  const row = part<ImageSummary>({ RepoTags: [], RepoDigests: [], Size: 7, Containers: 2, Descriptor: {} });
  assert.deepEqual(images.listForVersion(51, [row]), [row]);
  assert.deepEqual(images.listForVersion(48, [row])[0], { ...row, Containers: -1 });
  const old = { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'], Size: 7, Containers: -1, VirtualSize: 7 };
  assert.deepEqual(images.listForVersion(42, [row])[0], old);
  const image = part<ImageInspect>({ Id: 'i', Size: 7 });
  assert.deepEqual(images.inspectForVersion(45, image), image);
  assert.deepEqual(images.inspectForVersion(43, image), {
    Id: 'i',
    Size: 7,
    VirtualSize: 7,
    Created: '0001-01-01T00:00:00Z',
    Container: '',
    ContainerConfig: null,
  });
});

test('containers have aliases before 1.45 and no descriptor before 1.48', () => {
  const container = part<ContainerInspect>({
    Id: 'abcdefabcdefabcdef',
    Config: { Hostname: 'host' },
    ImageManifestDescriptor: {},
    NetworkSettings: { Networks: { bridge: { Aliases: null }, mine: { Aliases: ['web'] } } },
  });
  assert.equal(containers.inspectForVersion(51, container), container);
  const old = containers.inspectForVersion(44, container);
  assert.equal(old.NetworkSettings.Networks['bridge']?.Aliases, null);
  assert.deepEqual(old.NetworkSettings.Networks['mine']?.Aliases, ['web', 'abcdefabcdef', 'host']);
  assert.equal('ImageManifestDescriptor' in old, false);
});

test('events carry the old names, and image creation only since 1.46', () => {
  const event: EventMessage = {
    Type: 'container',
    Action: 'die',
    Actor: { ID: 'c', Attributes: { image: 'busybox' } },
    scope: 'local',
    time: 1,
    timeNano: 1n,
  };
  assert.deepEqual(eventForVersion(51, event), { status: 'die', id: 'c', from: 'busybox', ...event });
  assert.deepEqual(eventForVersion(51, { ...event, Type: 'network' }), { ...event, Type: 'network' });
  const created: EventMessage = { ...event, Type: 'image', Action: 'create' };
  assert.equal(eventForVersion(45, created), undefined);
  assert.equal(eventForVersion(46, created)?.id, 'c');
});

test('info and disk usage keep the fields of their time', () => {
  const info = {
    SecurityOptions: ['name=seccomp,profile=builtin'],
    Runtimes: { crun: { path: 'crun', status: {} } },
    InitCommit: { ID: 'x' },
    Containerd: {},
    FirewallBackend: {},
  };
  assert.equal(infoForVersion(51, info), info);
  assert.deepEqual(infoForVersion(24, info), {
    SecurityOptions: ['seccomp'],
    Runtimes: { crun: { path: 'crun' } },
    InitCommit: { ID: 'x', Expected: 'x' },
    BridgeNfIptables: false,
    BridgeNfIp6tables: false,
  });
  const usage = { Images: [{ Size: 3 }], BuildCache: [{ Size: 4 }] };
  assert.equal(diskUsageForVersion(44, usage), usage);
  assert.deepEqual(diskUsageForVersion(41, usage), {
    Images: [{ Size: 3, VirtualSize: 3 }],
    BuildCache: [{ Size: 4 }],
    BuilderSize: 4,
  });
});
