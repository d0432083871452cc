import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#errors';
import type { ChainId, Digest, oci } from '#spec';
import { parseDockerfile } from '../dockerfile/index.ts';
import type { Plan, PlanRequest } from './contract.ts';
import type { BaseImage, CopyOp, LayerStep, RunOp } from './ops.ts';
import { planBuild } from './plan.ts';

const amd64: oci.Platform = { os: 'linux', architecture: 'amd64' };

function image(name: string, config: oci.RunConfig = {}): BaseImage {
  return {
    name,
    id: `sha256:${'1'.repeat(64)}` as Digest,
    chainId: `sha256:${'2'.repeat(64)}` as ChainId,
    config: {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [] },
      config,
      history: [{ created_by: `made ${name}` }],
    },
  };
}

const images: Readonly<Record<string, oci.RunConfig>> = {
  busybox: { Env: ['PATH=/bin'], Cmd: ['sh'], WorkingDir: '/srv' },
  triggers: { OnBuild: ['COPY --from=tools /t /t', 'RUN make'] },
};

async function plan(text: string, options: Partial<PlanRequest> = {}): Promise<Plan> {
  return await planBuild({
    dockerfile: parseDockerfile(text, { name: 'Dockerfile' }),
    target: '',
    buildArgs: new Map(),
    targetPlatform: amd64,
    buildPlatform: amd64,
    labels: {},
    namedContexts: new Map(),
    noCache: new Set(),
    isIgnored: () => false,
    resolveImage: (reference) => {
      const config = images[reference];
      if (config) return Promise.resolve(image(reference, config));
      return Promise.reject(new EngineError('notFound', 'NO_IMAGE', `no image ${reference}`));
    },
    ...options,
  });
}

const layers = (made: Plan): LayerStep[] => made.steps.filter((step) => step.kind === 'layer');
const runs = (made: Plan): RunOp[] => layers(made).flatMap(({ op }) => (op.kind === 'run' ? op : []));
const copies = (made: Plan): CopyOp[] => layers(made).flatMap(({ op }) => (op.kind === 'copy' ? op : []));

test('a plan has the steps of the target and of what it stands on, in order, and no others', async () => {
  const made = await plan(`
FROM busybox AS tools
RUN one
FROM busybox AS unused
RUN two
FROM tools AS base
RUN three
FROM busybox
COPY --from=base /a /b
COPY --from=0 /c /d
RUN --mount=from=tools,target=/m four`);
  assert.deepEqual(
    made.steps.map(({ text }) => text),
    [
      'FROM busybox AS tools',
      'RUN one',
      'FROM tools AS base',
      'RUN three',
      'FROM busybox',
      'COPY --from=base /a /b',
      'COPY --from=0 /c /d',
      'RUN --mount=from=tools,target=/m four',
    ],
  );
  const [one, three, fromBase, fromTools, four] = layers(made);
  assert.deepEqual(three?.parent, { kind: 'step', step: one });
  assert.ok(fromBase?.op.kind === 'copy' && fromTools?.op.kind === 'copy' && four?.op.kind === 'run');
  assert.deepEqual(fromBase.op.sources, [{ kind: 'paths', tree: { kind: 'step', step: three }, paths: ['/a'] }]);
  assert.deepEqual(fromTools.op.sources, [{ kind: 'paths', tree: { kind: 'step', step: one }, paths: ['/c'] }]);
  assert.deepEqual(four.op.mounts[0]?.tree, { kind: 'step', step: one });
});

test('target by name and number; an unknown one is refused with a hint', async () => {
  const text = 'FROM busybox AS first\nRUN a\nFROM busybox\nRUN b';
  assert.equal(runs(await plan(text, { target: 'FIRST' }))[0]?.args[2], 'a');
  assert.equal(runs(await plan(text, { target: '1' }))[0]?.args[2], 'b');
  await assert.rejects(
    plan(text, { target: 'frist' }),
    /target stage "frist" could not be found \(did you mean first\?\)/,
  );
});

test('the configuration is the base image’s with what the instructions change', async () => {
  const made = await plan(
    `FROM busybox
ENV A=1 B="two $A" PATH=$PATH:/x
ENV C=$A
LABEL l="v w"
EXPOSE 80 90-91/udp
VOLUME /v
USER app:staff
WORKDIR sub
WORKDIR /abs
STOPSIGNAL SIGINT
HEALTHCHECK --retries=2 CMD true
SHELL ["/bin/ash", "-c"]
CMD echo hi
ONBUILD RUN x
MAINTAINER me`,
    { labels: { build: 'yes' } },
  );
  assert.deepEqual(made.config, {
    Env: ['PATH=/bin:/x', 'A=1', 'B=two ', 'C=1'],
    Labels: { l: 'v w', build: 'yes' },
    ExposedPorts: { '80/tcp': {}, '90/udp': {}, '91/udp': {} },
    Volumes: { '/v': {} },
    User: 'app:staff',
    WorkingDir: '/abs',
    StopSignal: 'SIGINT',
    Healthcheck: { Test: ['CMD-SHELL', 'true'], Retries: 2 },
    Shell: ['/bin/ash', '-c'],
    Cmd: ['/bin/ash', '-c', 'echo hi'],
    ArgsEscaped: true,
    OnBuild: ['RUN x'],
  });
  assert.equal(made.author, 'me');
  assert.deepEqual(
    layers(made).map(({ op }) => op),
    [
      { kind: 'mkdir', path: '/srv/sub', user: 'app:staff' },
      { kind: 'mkdir', path: '/abs', user: 'app:staff' },
    ],
  );
});

test('ENTRYPOINT resets the inherited command, not one of its own stage', async () => {
  const inherited = await plan('FROM busybox\nENTRYPOINT ["e"]');
  assert.deepEqual([inherited.config.Entrypoint, inherited.config.Cmd], [['e'], null]);
  const own = await plan('FROM busybox\nCMD ["c"]\nENTRYPOINT e');
  assert.deepEqual([own.config.Entrypoint, own.config.Cmd], [['/bin/sh', '-c', 'e'], ['c']]);
});

test('history is written as Docker writes it', async () => {
  const made = await plan(
    'FROM busybox\nARG V=1\nENV A=b\nRUN echo $V\nCOPY x /y\nWORKDIR /w\nCMD ["a","b"]\nEXPOSE 80',
  );
  assert.deepEqual(
    made.history.map(({ created_by: by, empty_layer: empty }) => [by, empty]),
    [
      ['made busybox', undefined],
      ['ARG V=1', true],
      ['ENV A=b', true],
      ['RUN |1 V=1 /bin/sh -c echo $V # buildkit', undefined],
      ['COPY x /y # buildkit', undefined],
      ['WORKDIR /w', undefined],
      ['CMD ["a" "b"]', true],
      ['EXPOSE [80/tcp]', true],
    ],
  );
});

test('ARGs: scope, defaults, build arguments, platform arguments, ENV over ARG', async () => {
  const made = await plan(
    `ARG IMAGE=nothing
ARG GLOBAL=g
FROM $IMAGE AS one
RUN a
ARG OWN=o-$GLOBAL
ARG GLOBAL
ARG TARGETARCH
ENV OWN2=env
ARG OWN2=arg
RUN b
FROM one
RUN c
FROM busybox
COPY --from=1 /x /y
RUN d`,
    {
      buildArgs: new Map([
        ['IMAGE', 'busybox'],
        ['OWN', 'given'],
        ['NOBODY', '1'],
        ['http_proxy', 'p'],
      ]),
    },
  );
  const env = (index: number): string[] => [...(runs(made)[index]?.env ?? [])].sort();
  assert.deepEqual(env(0), ['PATH=/bin']);
  assert.deepEqual(env(1), ['GLOBAL=g', 'OWN2=env', 'OWN=given', 'PATH=/bin', 'TARGETARCH=amd64']);
  assert.deepEqual(env(2), env(1), 'a stage made from another has its ARGs');
  assert.deepEqual(env(3), ['PATH=/bin']);
  assert.deepEqual(runs(made)[0]?.proxyEnv, ['http_proxy=p']);
  assert.deepEqual(made.unusedArgs, ['NOBODY']);
});

test('ONBUILD triggers run first, may copy from stages, and are not handed on', async () => {
  const made = await plan('FROM busybox AS tools\nRUN t\nFROM triggers\nRUN own');
  assert.deepEqual(
    layers(made).map(({ text }) => text),
    ['RUN t', 'COPY --from=tools /t /t', 'RUN make', 'RUN own'],
  );
  assert.equal(made.config.OnBuild, undefined);
});

test('copies: destinations, inline files, remote sources, modes', async () => {
  const made = await plan(`FROM busybox
ARG V=x
COPY a b$V sub/
COPY <<one <<'two' /d/
1 $V "q"
one
2 $V
two
ADD --checksum=sha256:${'a'.repeat(64)} https://example.com/f.tgz /f
ADD https://example.com/r.git#main:sub /r
ADD local.tar.gz .
COPY --chmod=u+x,go= a /`);
  assert.deepEqual(
    copies(made).map(({ sources, destination, unpack, chmod }) => ({ sources, destination, unpack, chmod })),
    [
      {
        sources: [{ kind: 'paths', tree: { kind: 'context', name: '' }, paths: ['a', 'bx'] }],
        destination: '/srv/sub/',
        unpack: 'never',
        chmod: '',
      },
      {
        sources: [
          { kind: 'inline', name: 'one', content: '1 x "q"\n' },
          { kind: 'inline', name: 'two', content: '2 $V\n' },
        ],
        destination: '/d/',
        unpack: 'never',
        chmod: '',
      },
      {
        sources: [{ kind: 'http', url: 'https://example.com/f.tgz', checksum: `sha256:${'a'.repeat(64)}` }],
        destination: '/f',
        unpack: 'local',
        chmod: '',
      },
      {
        sources: [{ kind: 'git', url: 'https://example.com/r.git#main:sub', keepGitDir: false, checksum: '' }],
        destination: '/r',
        unpack: 'local',
        chmod: '',
      },
      {
        sources: [{ kind: 'paths', tree: { kind: 'context', name: '' }, paths: ['local.tar.gz'] }],
        destination: '/srv/',
        unpack: 'local',
        chmod: '',
      },
      {
        sources: [{ kind: 'paths', tree: { kind: 'context', name: '' }, paths: ['a'] }],
        destination: '/',
        unpack: 'never',
        chmod: 'u+x,go=',
      },
    ],
  );
});

test('RUN: exec form, scripts of the Dockerfile, mounts', async () => {
  const made = await plan(`FROM busybox
ARG D=data
RUN ["a", "b"]
RUN <<EOF
one
two
EOF
RUN <<EOF
#!/usr/bin/env python
print()
EOF
RUN cat <<EOF > /f
body
EOF
RUN --mount=type=cache,target=$D --mount=type=secret,id=s x`);
  assert.deepEqual(
    runs(made).map(({ args, script }) => [args, script]),
    [
      [['a', 'b'], undefined],
      [['/bin/sh', '-c', 'one\ntwo\n'], undefined],
      [['/dev/pipes/EOF'], { path: '/dev/pipes/EOF', content: '#!/usr/bin/env python\nprint()\n' }],
      [['/bin/sh', '-c', 'cat <<EOF > /f\nbody\nEOF'], undefined],
      [['/bin/sh', '-c', 'x'], undefined],
    ],
  );
  const [cache, secret] = runs(made)[4]?.mounts ?? [];
  assert.deepEqual([cache?.target, cache?.id, cache?.tree.kind], ['/srv/data', '/srv/data', 'scratch']);
  assert.deepEqual([secret?.id, secret?.target], ['s', '']);
});

test('what the plan alone can see is linted', async () => {
  const made = await plan(
    `ARG BASE
FROM \${BASE:-busybox}
COPY $NONE/x ignored /d/
WORKDIR rel
ARG VERSION=1
RUN true
ENV X=$VERSIO`,
    { isIgnored: (path) => path === 'ignored' },
  );
  assert.deepEqual(
    made.warnings.map(({ rule, range }) => `${rule}:${range.startLine}`),
    ['UndefinedVar:3', 'CopyIgnoredFile:3', 'WorkdirRelativePath:4', 'UndefinedVar:7'],
  );
  assert.match(made.warnings[3]?.message ?? '', /'\$VERSIO' \(did you mean \$VERSION\?\)/);
  const defaults = await plan('ARG TAG=\nFROM busybox$TAG AS a\nFROM a', {});
  assert.deepEqual(defaults.warnings, []);
  const bad = await plan('ARG N=\nFROM ${N}\n', { buildArgs: new Map([['N', 'busybox']]) });
  assert.deepEqual(
    bad.warnings.map(({ rule }) => rule),
    ['InvalidDefaultArgInFrom'],
  );
});

test('mistakes are told with their place', async () => {
  const cases: [text: string, message: RegExp][] = [
    ['FROM Ubuntu', /failed to parse stage name "Ubuntu": .*repository name \(\S*Ubuntu\) must be lowercase/],
    ['FROM busybox\nCOPY --from=3 a b', /line 2: invalid from flag value 3: invalid stage index 3/],
    [
      'FROM busybox AS a\nCOPY --from=b x y\nFROM busybox AS b',
      /line 2: cannot copy from stage "b", it needs to be defined/,
    ],
    ['FROM busybox\nCOPY --from=$x a b', /variable expansion is not supported for --from/],
    ['FROM busybox\nCOPY a b c', /When using COPY with more than one source file/],
    ['FROM busybox\nCOPY --chmod=9 a b', /invalid chmod parameter: '9'/],
    ['FROM busybox\nEXPOSE x', /Invalid containerPort: x/],
    ['FROM busybox\nEXPOSE 80/icmp', /Invalid proto: icmp/],
    ['FROM busybox\nSTOPSIGNAL NOPE', /invalid signal: NOPE/],
    ['FROM busybox\nRUN --mount=type=cache x', /target path is required/],
    ['FROM $NOTHING', /base name \(\$NOTHING\) should not be blank/],
    ['FROM busybox\nENV A="${B:?must be set}"', /B: must be set/],
    ['FROM --platform=$P busybox', /empty platform value from expression \$P/],
  ];
  for (const [text, message] of cases) {
    // The chain of stages that the last needs is planned, so the mistake must be in it.
    const target = text.includes('AS a\n') ? 'a' : '';
    await assert.rejects(plan(text, { target }), message, text);
  }
  await assert.rejects(plan('FROM nothing'), { kind: 'notFound' });
});

test('--no-cache marks all steps, --no-cache-filter those of the stages named', async () => {
  const text = 'FROM busybox AS a\nRUN x\nFROM a\nRUN y';
  const marks = async (noCache: PlanRequest['noCache']): Promise<boolean[]> =>
    layers(await plan(text, { noCache })).map((step) => step.noCache);
  assert.deepEqual(await marks(true), [true, true]);
  assert.deepEqual(await marks(new Set(['a'])), [true, false]);
});

test('named contexts stand before stages and images', async () => {
  const made = await plan('FROM busybox AS a\nFROM base\nCOPY --from=files x y\nCOPY --from=a z w', {
    namedContexts: new Map([
      ['base', { kind: 'image', reference: 'busybox' }],
      ['files', { kind: 'directory' }],
      ['a', { kind: 'directory' }],
    ]),
  });
  assert.deepEqual(
    copies(made).map(({ sources }) => (sources[0]?.kind === 'paths' ? sources[0].tree : undefined)),
    [
      { kind: 'context', name: 'files' },
      { kind: 'context', name: 'a' },
    ],
  );
});
