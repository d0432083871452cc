import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EngineError } from '#errors';
import { type Dockerfile, parseDockerfile } from './parse.ts';

function parse(text: string): Dockerfile {
  return parseDockerfile(text, { name: 'Dockerfile' });
}

/** The instructions of a single stage, without their places. */
function instructions(...lines: string[]): unknown[] {
  const [stage] = parse(['FROM scratch', ...lines].join('\n')).stages;
  return (stage?.instructions ?? []).map(({ range: _range, source: _source, ...rest }) => rest);
}

const shell = (text: string): object => ({ form: 'shell', args: [text], heredocs: [] });
const exec = (...args: string[]): object => ({ form: 'exec', args, heredocs: [] });

test('stages: names, platforms, global ARGs and places', () => {
  const { stages, globalArgs } = parse(
    '# a comment\nARG V=1\nfrom --platform=$BUILDPLATFORM busybox:$V AS Build\nRUN a \\\n  b\n\nFROM build\nCMD ["x"]\n',
  );
  assert.deepEqual(globalArgs[0]?.args, [{ name: 'V', value: '1' }]);
  assert.deepEqual(
    stages.map(({ base, name, writtenName, platform, range }) => ({ base, name, writtenName, platform, range })),
    [
      {
        base: 'busybox:$V',
        name: 'build',
        writtenName: 'Build',
        platform: '$BUILDPLATFORM',
        range: { startLine: 3, endLine: 3 },
      },
      { base: 'build', name: '', writtenName: '', platform: '', range: { startLine: 7, endLine: 7 } },
    ],
  );
  assert.deepEqual(stages[0]?.instructions[0]?.range, { startLine: 4, endLine: 5 });
});

test('every instruction in its forms', () => {
  const run = { kind: 'run', mounts: [], network: 'default', security: 'sandbox', devices: [] };
  const copy = { chown: '', chmod: '', link: false, exclude: [], heredocs: [] };
  const cases: [line: string, parsed: object][] = [
    ['RUN echo  "a b" && true', { ...run, command: shell('echo  "a b" && true') }],
    ['RUN ["sh", "-c", "x"]', { ...run, command: exec('sh', '-c', 'x') }],
    ['RUN [not json', { ...run, command: shell('[not json') }],
    [
      'RUN --network=none --security=insecure --mount=type=tmpfs,target=/t --mount=target=/c make',
      {
        ...run,
        command: shell('make'),
        network: 'none',
        security: 'insecure',
        mounts: ['type=tmpfs,target=/t', 'target=/c'],
      },
    ],
    ['CMD ["a","b"]', { kind: 'cmd', command: exec('a', 'b') }],
    ['CMD', { kind: 'cmd', command: { form: 'shell', args: [], heredocs: [] } }],
    ['ENTRYPOINT top -b', { kind: 'entrypoint', command: shell('top -b') }],
    [
      'ENV A=1 B="x y" C=z\\ w',
      {
        kind: 'env',
        isLegacy: false,
        pairs: [
          { key: 'A', value: '1' },
          { key: 'B', value: '"x y"' },
          { key: 'C', value: 'z\\ w' },
        ],
      },
    ],
    ['ENV A one  two', { kind: 'env', isLegacy: true, pairs: [{ key: 'A', value: 'one  two' }] }],
    ['LABEL a.b="c d"', { kind: 'label', isLegacy: false, pairs: [{ key: 'a.b', value: '"c d"' }] }],
    ['MAINTAINER a <b@example.com>', { kind: 'maintainer', name: 'a <b@example.com>' }],
    ['EXPOSE 80/tcp 53', { kind: 'expose', ports: ['53', '80/tcp'] }],
    ['VOLUME /a /b', { kind: 'volume', paths: ['/a', '/b'] }],
    ['VOLUME ["/a b"]', { kind: 'volume', paths: ['/a b'] }],
    ['USER 1:2', { kind: 'user', user: '1:2' }],
    ['WORKDIR /a b', { kind: 'workdir', path: '/a b' }],
    [
      'ARG A B=2',
      {
        kind: 'arg',
        args: [
          { name: 'A', value: undefined },
          { name: 'B', value: '2' },
        ],
      },
    ],
    ['STOPSIGNAL SIGINT', { kind: 'stopsignal', signal: 'SIGINT' }],
    ['SHELL ["bash","-c"]', { kind: 'shell', shell: ['bash', '-c'] }],
    ['HEALTHCHECK NONE', { kind: 'healthcheck', health: { Test: ['NONE'] } }],
    [
      'HEALTHCHECK --interval=5s --retries=2 CMD curl x',
      { kind: 'healthcheck', health: { Test: ['CMD-SHELL', 'curl x'], Interval: 5_000_000_000, Retries: 2 } },
    ],
    ['HEALTHCHECK CMD ["a"]', { kind: 'healthcheck', health: { Test: ['CMD', 'a'] } }],
    ['ONBUILD RUN x', { kind: 'onbuild', trigger: 'RUN x' }],
    [
      'COPY --from=a --chown=1:2 --link --parents --exclude=*.o --exclude=x b c d/',
      {
        ...copy,
        kind: 'copy',
        from: 'a',
        chown: '1:2',
        link: true,
        parents: true,
        exclude: ['*.o', 'x'],
        sources: ['b', 'c'],
        destination: 'd/',
      },
    ],
    ['COPY ["a b", "c"]', { ...copy, kind: 'copy', from: '', parents: false, sources: ['a b'], destination: 'c' }],
    [
      'ADD --checksum=sha256:0 --unpack=false --keep-git-dir u d',
      {
        ...copy,
        kind: 'add',
        checksum: 'sha256:0',
        unpack: false,
        keepGitDir: true,
        sources: ['u'],
        destination: 'd',
      },
    ],
  ];
  for (const [line, parsed] of cases) assert.deepEqual(instructions(line), [parsed], line);
});

test('heredocs are taken out of what follows', () => {
  const [run, copy] = instructions(
    "RUN <<'EOF' cat <<-B",
    'one $x',
    'EOF',
    '\t\ttwo',
    '\tB',
    'COPY <<a <<b /d/',
    'A',
    'a',
    'B',
    'b',
  ) as { command: { heredocs: unknown }; heredocs: unknown }[];
  assert.deepEqual(run?.command.heredocs, [
    { name: 'EOF', fd: 0, expand: false, stripTabs: false, content: 'one $x\n' },
    { name: 'B', fd: 0, expand: true, stripTabs: true, content: '\t\ttwo\n' },
  ]);
  assert.deepEqual(copy?.heredocs, [
    { name: 'a', fd: 0, expand: true, stripTabs: false, content: 'A\n' },
    { name: 'b', fd: 0, expand: true, stripTabs: false, content: 'B\n' },
  ]);
});

test('continuations skip comments and blank lines; the escape directive changes the mark', () => {
  const { stages, directives } = parse('# escape=`\nFROM scratch\nRUN a `\n# no\n\n  b\\\nRUN c');
  assert.equal(directives.escape, '`');
  assert.deepEqual(
    stages[0]?.instructions.map(({ source }) => source),
    ['RUN a   b\\', 'RUN c'],
  );
});

test('directives: case, order, once, and only at the top', () => {
  const { directives } = parse('#syntax=docker/dockerfile:1\n# Check=skip=A,B;error=true\nFROM scratch\n# escape=`');
  assert.equal(directives.syntax, 'docker/dockerfile:1');
  assert.equal(directives.escape, '\\');
  assert.deepEqual(directives.check, { skip: new Set(['A', 'B']), error: true, experimental: new Set() });
});

test('errors have Docker’s text, the place and its lines', () => {
  const cases: [text: string, message: RegExp, line: number, column: number][] = [
    ['FROM busybox\n  FOO bar', /^dockerfile parse error on line 2: unknown instruction: FOO/, 2, 3],
    ['FROM scratch\nRUNN x', /unknown instruction: RUNN \(did you mean RUN\?\)/, 2, 1],
    ['FROM', /FROM requires either one or three arguments/, 1, 1],
    ['FROM a b', /FROM requires either one or three arguments/, 1, 6],
    ['FROM a AS 1x', /invalid name for build stage: "1x"/, 1, 11],
    ['RUN x\nFROM a', /no build stage in current context/, 1, 1],
    ['# only a comment', /file with no instructions/, 1, 1],
    ['FROM a\nCOPY x', /COPY requires at least two arguments, but only one was provided/, 2, 1],
    ['FROM a\nCOPY --form=b x y', /unknown flag: --form \(did you mean from\?\)/, 2, 6],
    ['FROM a\nCOPY --from x y', /missing a value on flag: --from/, 2, 6],
    ['FROM a\nENV A=1 B', /Syntax error - can't find = in "B"/, 2, 9],
    ['FROM a\nENV A', /ENV must have two arguments/, 2, 5],
    ['FROM a\nENV =x', /ENV names can not be blank/, 2, 5],
    ['FROM a\nRUN --network=no x', /unsupported network mode "no"/, 2, 15],
    ['FROM a\nRUN --mount=from=$x,target=/a x', /'from' doesn't support variable expansion/, 2, 13],
    ['FROM a\nRUN <<EOF\nx', /unterminated heredoc/, 2, 5],
    ['FROM a\nONBUILD ONBUILD RUN x', /Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed/, 2, 1],
    ['FROM a\nONBUILD FROM x', /FROM isn't allowed as an ONBUILD trigger/, 2, 9],
    ['FROM a\nSHELL bash', /SHELL requires the arguments to be in JSON form/, 2, 7],
    ['FROM a\nCMD ["a", 1]', /arrays must be comprised of strings only/, 2, 5],
    ['FROM a\nHEALTHCHECK --retries=x CMD a', /strconv.ParseInt: parsing "x"/, 2, 23],
    ['# escape=x\nFROM a', /invalid escape token 'x'/, 1, 1],
    ['# syntax=a\n# syntax=b\nFROM a', /only one syntax parser directive can be used/, 2, 1],
  ];
  for (const [text, message, line, column] of cases) {
    assert.throws(
      () => parse(text),
      (error: unknown) => {
        assert.ok(error instanceof EngineError, text);
        assert.match(error.message, message);
        assert.deepEqual(error.details, { file: 'Dockerfile', line, column }, text);
        assert.match(error.message, new RegExp(`^Dockerfile:\\d+:${column}$`, 'm'));
        assert.match(error.message, />>>/);
        return true;
      },
    );
  }
});

test('what is no Dockerfile is refused', () => {
  assert.throws(() => parse(' \n'), /the Dockerfile \(Dockerfile\) cannot be empty/);
  assert.throws(() => parse('FROM a\0'), /null bytes/);
  assert.throws(() => parse(`FROM a${' '.repeat(17 * 1024 * 1024)}`), /larger than 16 MiB/);
});

test('a byte order mark and carriage returns are no part of the language', () => {
  const { stages } = parse('\uFEFFFROM scratch\r\nRUN a \\\r\n b\r\n');
  assert.equal(stages[0]?.instructions[0]?.source, 'RUN a  b');
});

test('property: any text is either read or refused as the user’s mistake', () => {
  const word = fc.constantFrom(
    'FROM',
    'a',
    'RUN',
    'COPY',
    '<<E',
    'E',
    '\n',
    '\\\n',
    '"',
    "'",
    '[',
    '$',
    '--x=',
    '#',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), (words) => {
      try {
        parse(words.join(' '));
      } catch (error) {
        assert.ok(error instanceof EngineError && error.kind === 'invalidArgument');
      }
    }),
  );
});
