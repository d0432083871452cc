import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from './parse.ts';

function lint(...lines: string[]): string[] {
  return parseDockerfile(lines.join('\n'), { name: 'Dockerfile' }).warnings.map(
    ({ rule, range }) => `${rule}:${range.startLine}`,
  );
}

test('each rule that needs only the text finds what it is for', () => {
  const cases: [lines: string[], found: string[]][] = [
    [['FROM a AS Build'], ['StageNameCasing:1']],
    [['FROM a as b'], ['FromAsCasing:1']],
    [['from a AS b'], ['FromAsCasing:1']],
    [['FROM a', 'RUN x \\', '', ' y'], ['NoEmptyContinuation:2']],
    [['FROM a', 'run x', 'RUN y'], ['ConsistentInstructionCasing:2']],
    [['FROM a AS b', 'FROM c AS b'], ['DuplicateStageName:2']],
    [['FROM a AS scratch'], ['ReservedStageName:1']],
    [['FROM a', 'CMD x'], ['JSONArgsRecommended:2']],
    [['FROM a', 'MAINTAINER x'], ['MaintainerDeprecated:2']],
    [['FROM a', 'CMD ["x"]', 'CMD ["y"]'], ['MultipleInstructionsDisallowed:2']],
    [['FROM a', 'LABEL x y'], ['LegacyKeyValueFormat:2']],
    [['FROM --platform=$TARGETPLATFORM a'], ['RedundantTargetPlatform:1']],
    [['FROM --platform=linux/amd64 a'], ['FromPlatformFlagConstDisallowed:1']],
    [['FROM a', 'ENV API_TOKEN=x', 'ARG PUBLIC_KEY'], ['SecretsUsedInArgOrEnv:2']],
    [['FROM a', 'EXPOSE 80/TCP'], ['ExposeProtoCasing:2']],
    [['FROM a', 'EXPOSE 127.0.0.1:80:80'], ['ExposeInvalidFormat:2']],
    [['# check=experimental=all', '# wrong words', 'FROM a AS b'], ['InvalidDefinitionDescription:3']],
    [['# wrong words', 'FROM a AS b'], []],
    [['FROM a', 'CMD ["x"]'], []],
  ];
  for (const [lines, found] of cases) assert.deepEqual(lint(...lines), found, lines.join('|'));
});

test('the check directive silences rules', () => {
  assert.deepEqual(lint('# check=skip=JSONArgsRecommended', 'FROM a', 'CMD x'), []);
  assert.deepEqual(lint('# check=skip=all', 'FROM a as b', 'CMD x'), []);
});
