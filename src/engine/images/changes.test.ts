import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges, splitWords } from './changes.ts';

test('applyChanges applies every instruction that import and commit allow', () => {
  const config = applyChanges({ Env: ['PATH=/bin', 'A=0'] }, [
    'CMD ["sh", "-c", "x"]',
    'entrypoint run it',
    'ENV A=1 B="two words"',
    'ENV OLD the rest',
    'LABEL a.b=c "d e"=f',
    'EXPOSE 80 9000-9001/udp',
    'USER web',
    'WORKDIR /srv',
    'WORKDIR app',
    'VOLUME ["/data"]',
    'VOLUME /more /again',
    'STOPSIGNAL SIGQUIT',
    'ONBUILD RUN true',
    'HEALTHCHECK --interval=5s --retries=2 CMD curl localhost',
  ]);
  assert.deepEqual(config, {
    Env: ['PATH=/bin', 'A=1', 'B=two words', 'OLD=the rest'],
    Cmd: ['sh', '-c', 'x'],
    Entrypoint: ['/bin/sh', '-c', 'run it'],
    Labels: { 'a.b': 'c', 'd e': 'f' },
    ExposedPorts: { '80/tcp': {}, '9000/udp': {}, '9001/udp': {} },
    User: 'web',
    WorkingDir: '/srv/app',
    Volumes: { '/data': {}, '/more': {}, '/again': {} },
    StopSignal: 'SIGQUIT',
    OnBuild: ['RUN true'],
    Healthcheck: { Interval: 5e9, Retries: 2, Test: ['CMD-SHELL', 'curl localhost'] },
  });
});

test('applyChanges refuses other instructions and malformed ones', () => {
  assert.throws(() => applyChanges({}, ['RUN true']), /run is not a valid change command/);
  assert.throws(() => applyChanges({}, ['ENV a']), /ENV must have two arguments/);
  assert.throws(() => applyChanges({}, ['EXPOSE http']), /invalid containerPort: http/);
  assert.throws(() => applyChanges({}, ['HEALTHCHECK what']), /Unknown type "what" in HEALTHCHECK/);
  assert.throws(() => applyChanges({}, ['LABEL "open']), /double-quote/);
});

test('splitWords keeps quoted blanks and escapes', () => {
  assert.deepEqual(splitWords(`a "b c"d 'e \\f' g\\ h "" `), ['a', 'b cd', 'e \\f', 'g h', '']);
});
