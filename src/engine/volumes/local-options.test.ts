import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MS } from '#sys';
import { checkLocalOptions, needsMount, resolveDevice, withoutPassword } from './local-options.ts';
import { planMountCalls } from './mount-options.ts';

test("checkLocalOptions refuses with Docker's texts", () => {
  checkLocalOptions({ type: 'tmpfs', device: 'tmpfs', o: 'size=10m' });
  checkLocalOptions({ size: '0' });
  const refused: [Record<string, string>, string][] = [
    [{ foo: 'bar' }, 'invalid option: "foo"'],
    [{ type: 'tmpfs' }, 'missing required option: "device"'],
    [{ device: '/x' }, 'missing required option: "type"'],
    [{ o: 'bind' }, 'missing required option: "device"'],
    [{ size: '10m' }, 'quota size requested but no quota support'],
    [{ type: 'cifs', device: '//host:445/share' }, "port not allowed in CIFS device URL, include 'port' in 'o='"],
  ];
  for (const [options, message] of refused) assert.throws(() => checkLocalOptions(options), { message });
});

test('needsMount tells devices from plain directories', () => {
  assert.ok(needsMount({ type: 'none', device: '/x', o: 'bind' }));
  assert.ok(!needsMount({ size: '0' }));
  assert.ok(!needsMount(null));
});

test('planMountCalls sets propagation and makes binds read-only in calls of their own', () => {
  assert.deepEqual(planMountCalls('/x', 'none', 'bind,ro,rslave'), [
    { source: '/x', fsType: 'none', flags: MS.BIND | MS.RDONLY | MS.REC, data: '' },
    { source: '', fsType: '', flags: MS.SLAVE | MS.REC, data: '' },
    { source: '', fsType: '', flags: MS.BIND | MS.RDONLY | MS.REC | MS.REMOUNT, data: '' },
  ]);
  assert.deepEqual(planMountCalls('tmpfs', 'tmpfs', 'nosuid,size=10m,uid=5,exec'), [
    { source: 'tmpfs', fsType: 'tmpfs', flags: MS.NOSUID, data: 'size=10m,uid=5' },
  ]);
});

test('resolveDevice gives the kernel addresses for names', async () => {
  const resolve = (host: string): Promise<string> => Promise.resolve(`<${host}>`);
  assert.deepEqual(await resolveDevice({ type: 'nfs', device: ':/x', o: 'rw,addr=files,vers=4' }, resolve), {
    device: ':/x',
    options: 'rw,addr=<files>,vers=4',
  });
  assert.deepEqual(await resolveDevice({ type: 'nfs', device: ':/x', o: 'addr=10.0.0.1' }, resolve), {
    device: ':/x',
    options: 'addr=10.0.0.1',
  });
  assert.equal((await resolveDevice({ type: 'cifs', device: '//files/share' }, resolve)).device, '//<files>/share');
  await assert.rejects(resolveDevice({ type: 'nfs', o: 'addr=files' }, resolve), /missing device in volume options/);
});

test('withoutPassword hides it', () => {
  assert.equal(withoutPassword('data: user=a,password=b', 'user=a,password=b'), 'data: user=a,password=********');
});
