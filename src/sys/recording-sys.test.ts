import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sysError } from './errno.ts';
import { createRecordingSys } from './recording-sys.ts';

test('createRecordingSys writes calls down in order and answers as told', () => {
  const sys = createRecordingSys({ 'processes.bootId': 'boot', 'files.llistxattr': (path: string) => [path] });
  sys.mounts.bind('/a', '/b', { readOnly: true });
  assert.equal(sys.processes.bootId(), 'boot');
  assert.deepEqual(sys.files.llistxattr('/x'), ['/x']);
  assert.deepEqual(sys.lines(), ['mounts.bind /a /b {"readOnly":true}', 'processes.bootId', 'files.llistxattr /x']);
});

test('createRecordingSys fails a call as told and runs work inside namespaces', () => {
  const sys = createRecordingSys();
  sys.fail('mounts.unmount', sysError(16, 'unmount', '/m'));
  assert.throws(() => sys.mounts.unmount('/m'), { code: 'SYS_EBUSY' });
  assert.equal(
    sys.namespaces.withNetns('/n', () => 5),
    5,
  );
});

test('createRecordingSys hands out route sockets that record too', () => {
  const sys = createRecordingSys({ 'routeSocket.findLink': { index: 7 } });
  using socket = sys.netlink.openRouteSocket('/n');
  assert.equal(socket.findLink('berth0')?.index, 7);
  socket.setLink(7, { up: true });
  assert.deepEqual(sys.lines(), [
    'netlink.openRouteSocket /n',
    'routeSocket.findLink berth0',
    'routeSocket.setLink 7 {"up":true}',
  ]);
});
