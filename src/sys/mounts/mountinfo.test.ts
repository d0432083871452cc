import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountInfo } from './mountinfo.ts';

test('parseMountInfo reads ids, peer groups and options', () => {
  const [mount] = parseMountInfo(
    '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:22 - ext3 /dev/root rw,errors=continue\n',
  );
  assert.deepEqual(mount, {
    id: 36,
    parentId: 35,
    major: 98,
    minor: 0,
    root: '/mnt1',
    target: '/mnt2',
    options: ['rw', 'noatime'],
    sharedGroup: 22,
    masterGroup: 1,
    unbindable: false,
    fsType: 'ext3',
    source: '/dev/root',
    superOptions: ['rw', 'errors=continue'],
  });
});

test('parseMountInfo undoes octal escapes beside UTF-8', () => {
  const [mount] = parseMountInfo('1 2 0:5 / /a\\040b\\134c\\011\u00e9 rw - tmpfs tmp\\043fs rw');
  assert.equal(mount?.target, '/a b\\c\t\u00e9');
  assert.equal(mount.source, 'tmp#fs');
});

test('parseMountInfo takes lines without optional fields and leaves out broken ones', () => {
  const mounts = parseMountInfo('1 2 0:4 net:[4026532008] /run/ns rw - nsfs nsfs rw\nnonsense\n');
  assert.equal(mounts.length, 1);
  assert.equal(mounts[0]?.root, 'net:[4026532008]');
  assert.equal(mounts[0].fsType, 'nsfs');
});
