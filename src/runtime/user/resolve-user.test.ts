import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findUser, type UserFiles } from './resolve-user.ts';

const files: UserFiles = {
  passwd: `# comment
root:x:0:0:root:/root:/bin/sh
  app:x:1000:1001:App:/home/app:/bin/sh
app:x:7:7:second:/no:/no
1234:x:55:55:a number for a name:/n:/n
broken:x:nonsense:5:::
huge:x:4294967295:5:::
`,
  group: `root:x:0:
wheel:x:10:root,app
app:x:1001:
audio:x:29:app
1000:x:99:
`,
};
const ids = (user: string, groupAdd: string[] = [], from = files): unknown[] => {
  const { uid, gid, additionalGids, home } = findUser(user, groupAdd, from);
  return [uid, gid, additionalGids, home];
};

test('findUser reads names, numbers and both', () => {
  assert.deepEqual(ids(''), [0, 0, [0, 10], '/root']);
  assert.deepEqual(ids('app'), [1000, 1001, [1001, 10, 29], '/home/app']);
  assert.deepEqual(ids('1000'), [1000, 1001, [1001, 10, 29], '/home/app']);
  assert.deepEqual(ids('app:audio'), [1000, 29, [29], '/home/app']);
  assert.deepEqual(ids('app:77'), [1000, 77, [77], '/home/app']);
  assert.deepEqual(ids('4321'), [4321, 0, [0], '/']);
  assert.deepEqual(ids(':audio'), [0, 29, [29], '/root']);
});

test('findUser takes a number for an id, also where it is a name', () => {
  assert.deepEqual(ids('1234'), [1234, 0, [0], '/']);
  assert.deepEqual(ids('root:1000'), [0, 1000, [1000], '/root']);
});

test('findUser adds groups by name and id, each once', () => {
  assert.deepEqual(ids('app', ['wheel', '500', 'audio']), [1000, 1001, [1001, 10, 29, 500], '/home/app']);
  assert.throws(() => ids('', ['nope']), /unable to find group nope: no matching entries in group file/);
});

test('findUser does without the files', () => {
  const none = { passwd: undefined, group: undefined };
  assert.deepEqual(ids('', [], none), [0, 0, [0], '/']);
  assert.deepEqual(ids('5:6', ['7'], none), [5, 6, [6, 7], '/']);
  assert.throws(() => ids('app', [], none), /unable to find user app: no matching entries in passwd file/);
});

test('findUser never ends up at root by mistake', () => {
  for (const user of ['-1', '4294967295', '4294967296', '99999999999999999999', '0:-1', '0:2147483648']) {
    assert.throws(() => ids(user), /uids and gids must be in range 0-2147483647/, user);
  }
  for (const user of ['0x0', '1:1:1', '1e3', ' ', 'broken', 'huge', '0 ', '١']) assert.throws(() => ids(user), user);
  assert.throws(() => ids('', ['-1']), /uids and gids must be in range/);
});
