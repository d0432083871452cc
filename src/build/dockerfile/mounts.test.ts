import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountFrom, parseMount } from './mounts.ts';

const mount = (text: string): object => {
  const parsed = parseMount(text, (value) => value.replaceAll('$X', 'ex'));
  return Object.fromEntries(Object.entries(parsed).filter(([, value]) => value !== '' && value !== undefined));
};
const empty = { readOnly: true, sizeBytes: 0, sharing: 'shared', required: false };

test('mounts of every type', () => {
  const cases: [text: string, parsed: object][] = [
    ['target=/a', { ...empty, type: 'bind', target: '/a' }],
    [
      'type=bind,from=b,src=/s,dst=$X,rw',
      { ...empty, type: 'bind', from: 'b', source: '/s', target: 'ex', readOnly: false },
    ],
    [
      'type=cache,target=/c,id=i,sharing=locked,mode=0700,uid=1,gid=2',
      {
        ...empty,
        type: 'cache',
        target: '/c',
        id: 'i',
        sharing: 'locked',
        mode: 0o700,
        uid: 1,
        gid: 2,
        readOnly: false,
      },
    ],
    [
      'type=tmpfs,destination=/t,size=10m',
      { ...empty, type: 'tmpfs', target: '/t', sizeBytes: 10 << 20, readOnly: false },
    ],
    ['type=secret,id=s,required,env=TOKEN', { ...empty, type: 'secret', id: 's', required: true, env: 'TOKEN' }],
    ['type=ssh,required=false', { ...empty, type: 'ssh' }],
    ['"target=/a,b",type=bind', { ...empty, type: 'bind', target: '/a,b' }],
  ];
  for (const [text, parsed] of cases) assert.deepEqual(mount(text), parsed, text);
});

test('mounts that make no sense are refused', () => {
  const cases: [text: string, message: RegExp][] = [
    ['type=bin', /unsupported mount type "bin" \(did you mean bind\?\)/],
    ['target', /invalid field 'target' must be a key=value pair/],
    ['targe=/a', /unexpected key 'targe' in 'targe=\/a' \(did you mean target\?\)/],
    ['type=bind,mode=0700', /mode not allowed for "bind" type mounts/],
    ['type=bind,size=1', /unexpected key 'size' for mount type 'bind'/],
    ['type=tmpfs,sharing=locked', /invalid cache sharing set for tmpfs mount/],
    ['type=secret', /invalid secret mount/],
    ['type=secret,id=a,source=b', /both source and id can't be set/],
    ['type=cache,mode=9', /invalid value 9 for mode/],
    ['ro=maybe', /invalid value for readonly: maybe/],
    ['a"b', /bare quote/],
  ];
  for (const [text, message] of cases) assert.throws(() => mount(text), message, text);
});

test('where a mount comes from is known before anything is expanded', () => {
  assert.equal(mountFrom('type=bind,from=build,target=/a'), 'build');
  assert.equal(mountFrom('type=cache,target=/a'), '');
});
