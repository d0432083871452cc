import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlainProgress } from './plain-progress.ts';

test('steps are numbered, timed, and their lines are kept whole', () => {
  let nowMs = 1000;
  const progress = new PlainProgress(() => nowMs);
  const steps = [
    { id: 'f', name: '[1/3] FROM x', isLayer: false },
    { id: 'a', name: '[2/3] RUN a', isLayer: true },
    { id: 'b', name: '[3/3] RUN b', isLayer: true },
  ];
  let text = progress.render({ kind: 'planned', steps });
  text += progress.render({ kind: 'finished', stepId: 'a', cached: true });
  text += progress.render({ kind: 'started', stepId: 'b' });
  nowMs += 250;
  text += progress.render({ kind: 'output', stepId: 'b', stream: 'stdout', text: 'one\ntw' });
  text += progress.render({ kind: 'output', stepId: 'b', stream: 'stderr', text: 'o' });
  nowMs += 1000;
  text += progress.render({ kind: 'finished', stepId: 'b', cached: false });
  assert.equal(text, '#1 [2/3] RUN a\n#1 CACHED\n\n#2 [3/3] RUN b\n#2 0.250 one\n#2 1.250 two\n#2 DONE 1.3s\n\n');
});

test('a failure comes after what was said', () => {
  const progress = new PlainProgress(() => 0);
  progress.render({ kind: 'planned', steps: [{ id: 'a', name: '[2/2] RUN a', isLayer: true }] });
  progress.render({ kind: 'started', stepId: 'a' });
  progress.render({ kind: 'output', stepId: 'a', stream: 'stderr', text: 'oh' });
  const text = progress.render({ kind: 'failed', stepId: 'a', message: 'exit code: 3', excerpt: '' });
  assert.equal(text, '#1 0.000 oh\n#1 ERROR: exit code: 3\n\n');
});

test('warnings are kept for the end', () => {
  const progress = new PlainProgress(() => 0);
  assert.equal(progress.render({ kind: 'warning', rule: 'R', message: 'm', excerpt: 'line 2' }), '');
  assert.deepEqual(progress.warnings, ['R: m (line 2)']);
});
