import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '#client';
import { CliError } from '../../framework/errors.ts';
import { asUsageError, runFailure } from './usage-error.ts';

test('runFailure tells by the message whether a shell would say 126, 127 or the engine failed', () => {
  const codeOf = (message: string): number => runFailure('berth', new ApiError(400, message)).exitCode;
  assert.equal(codeOf('exec: "nosuch": executable file not found in $PATH'), 127);
  assert.equal(codeOf('stat /nosuch: no such file or directory'), 127);
  assert.equal(codeOf('exec: "/etc": permission denied'), 126);
  assert.equal(codeOf('exec: "/etc": is a directory'), 126);
  assert.equal(codeOf('Conflict. The container name is in use'), 125);
});

test('runFailure puts the program before and the help behind', () => {
  const { message } = runFailure('docker', new ApiError(500, 'broken'));
  assert.equal(message, "docker: Error response from daemon: broken\n\nRun 'docker run --help' for more information");
});

test('asUsageError leaves failures of other kinds alone', () => {
  const wrong = new TypeError('bug');
  assert.throws(
    () =>
      asUsageError('berth', 'create', () => {
        throw wrong;
      }),
    wrong,
  );
  const refuse = (): never => {
    throw new CliError('no');
  };
  assert.throws(() => asUsageError('berth', 'create', refuse), {
    message: "berth: no\n\nRun 'berth create --help' for more information",
    exitCode: 125,
  });
});
