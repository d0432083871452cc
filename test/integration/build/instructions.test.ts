import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { describe, test } from 'node:test';
import type { ImageInspect } from '#spec';
import { build, type ContextFiles, contextTar, imageLayers } from '../../helpers/build.ts';
import { busybox } from '../../helpers/busybox-image.ts';
import type { Query } from '#client';
import { useEngine } from '../../helpers/engine.ts';

const engine = useEngine();

interface Case {
  /** The row of Docker's language that it shows. */
  readonly row: string;
  /** FROM the test image, then this, unless it begins with FROM, ARG or a comment. */
  readonly dockerfile: string;
  readonly files?: ContextFiles;
  readonly query?: Query;
  /** What is printed. */
  readonly says?: RegExp;
  readonly saysNot?: RegExp;
  /** The build fails with this. */
  readonly fails?: RegExp;
  /** Of the configuration, after a round through JSON. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Entries of the last layer that has any, as {@link imageLayers} writes them; directories above them left out. */
  readonly layer?: readonly string[];
}

const files: ContextFiles = {
  'a.txt': 'a',
  'b.txt': 'b',
  'run.sh': { content: '#!/bin/sh\n', mode: 0o755 },
  'dir/c.txt': 'c',
  'dir/sub/d.md': 'd',
  link: { content: '', type: 'symlink', linkName: 'a.txt' },
  'dir/out': { content: '', type: 'symlink', linkName: '/etc/passwd' },
};

const cases: readonly Case[] = [
  { row: 'FROM scratch, COPY', dockerfile: 'FROM scratch\nCOPY a.txt /', layer: ['file 644 0:0 a.txt "a"'] },
  {
    row: 'FROM AS, COPY --from=stage',
    dockerfile: `FROM ${busybox} AS one\nRUN mkdir /d && echo -n 1 > /d/x && ln /d/x /d/y && ln -s x /d/z && chown 7:8 /d/x && chmod 4750 /d/x\nFROM scratch\nCOPY --from=one /d /e`,
    layer: [
      'directory 755 0:0 e/',
      'file 4750 7:8 e/x "1"',
      'hardlink 4750 7:8 e/y -> e/x',
      'symlink 777 0:0 e/z -> x',
    ],
  },
  {
    row: 'COPY --from=number',
    dockerfile: `FROM ${busybox}\nRUN echo -n 1 > /x\nFROM scratch\nCOPY --from=0 /x /`,
    layer: ['file 644 0:0 x "1"'],
  },
  {
    row: 'COPY --from=image',
    dockerfile: `FROM scratch\nCOPY --from=${busybox} /etc/passwd /p`,
    layer: [/file 644 0:0 p/.source],
  },
  {
    row: 'FROM an earlier stage',
    dockerfile: `FROM ${busybox} AS one\nENV A=1\nFROM one\nRUN echo got $A`,
    says: /^got 1$/m,
  },
  {
    row: 'stages nobody needs are skipped',
    dockerfile: `FROM ${busybox} AS no\nRUN exit 1\nFROM ${busybox}\nRUN echo yes`,
    says: /^yes$/m,
  },
  {
    row: '--target',
    dockerfile: `FROM ${busybox} AS one\nRUN echo one\nFROM ${busybox}\nRUN exit 1`,
    query: { target: 'one' },
    says: /^one$/m,
  },
  {
    row: '--target unknown',
    dockerfile: `FROM ${busybox} AS one`,
    query: { target: 'two' },
    fails: /target stage "two" could not be found/,
  },
  { row: 'FROM with capitals', dockerfile: 'FROM Ubuntu', fails: /repository name .*must be lowercase/ },
  {
    row: 'ARG before FROM',
    dockerfile: `ARG BASE=${busybox}\nFROM $BASE\nARG BASE\nRUN echo base $BASE`,
    says: /^base berth-test/m,
  },
  {
    row: 'ARG default, --build-arg',
    dockerfile: 'ARG A=1\nARG B=2\nRUN echo $A $B',
    query: { buildargs: '{"A":"x"}' },
    says: /^x 2$/m,
  },
  {
    row: 'ENV over ARG',
    dockerfile: 'ARG A=1\nENV A=2\nRUN echo value $A',
    query: { buildargs: '{"A":"3"}' },
    says: /^value 2$/m,
  },
  {
    row: '--build-arg unknown',
    dockerfile: 'RUN true',
    query: { buildargs: '{"NOPE":"x"}' },
    says: /\[Warning\] One or more build-args \[NOPE\] were not consumed/,
  },
  {
    row: 'platform ARGs',
    dockerfile: 'ARG TARGETOS\nARG TARGETARCH\nARG BUILDPLATFORM\nRUN echo $TARGETOS $TARGETARCH $BUILDPLATFORM',
    says: /^linux (amd64|arm64) linux\/\1$/m,
  },
  {
    row: 'proxy ARGs need no declaration',
    dockerfile: 'RUN echo proxy $http_proxy',
    query: { buildargs: '{"http_proxy":"http://p:1"}' },
    says: /^proxy http:\/\/p:1$/m,
  },
  {
    row: 'BUILDKIT_SANDBOX_HOSTNAME',
    dockerfile: 'RUN hostname',
    query: { buildargs: '{"BUILDKIT_SANDBOX_HOSTNAME":"here"}' },
    says: /^here$/m,
  },
  { row: 'RUN shell form', dockerfile: 'RUN echo $((1+1))', says: /^2$/m },
  { row: 'RUN exec form', dockerfile: 'RUN ["echo", "$HOME"]', says: /^\$HOME$/m },
  { row: 'RUN <<EOF', dockerfile: 'RUN <<EOF\necho one\necho two\nEOF', says: /^one\ntwo$/m },
  { row: 'RUN <<EOF cmd', dockerfile: 'RUN <<EOF cat\npiped\nEOF', says: /^piped$/m },
  { row: 'RUN <<EOF with a shebang', dockerfile: 'RUN <<EOF\n#!/bin/cat\nshown\nEOF', says: /^shown$/m },
  { row: 'RUN N<<EOF', dockerfile: 'RUN cat 3<<EOF <&3\nfd\nEOF', says: /^fd$/m },
  {
    row: 'several heredocs',
    dockerfile: 'COPY <<one <<two /d/\n1\none\n2\ntwo',
    layer: ['directory 755 0:0 d/', 'file 644 0:0 d/one "1\\n"', 'file 644 0:0 d/two "2\\n"'],
  },
  { row: '<<-WORD', dockerfile: 'COPY <<-EOF /x\n\t1\n\tEOF', layer: ['file 644 0:0 x "1\\n"'] },
  { row: '<<"WORD"', dockerfile: 'ENV A=1\nCOPY <<"EOF" /x\n$A\nEOF', layer: ['file 644 0:0 x "$A\\n"'] },
  { row: '<<WORD expands', dockerfile: 'ENV A=1\nCOPY <<EOF /x\n$A\nEOF', layer: ['file 644 0:0 x "1\\n"'] },
  { row: 'SHELL', dockerfile: 'SHELL ["/bin/sh", "-ec"]\nRUN false; echo no', fails: /returned a non-zero code: 1/ },
  { row: 'CMD, ENTRYPOINT', dockerfile: 'ENTRYPOINT ["a"]\nCMD ["b"]', config: { Entrypoint: ['a'], Cmd: ['b'] } },
  {
    row: 'ENTRYPOINT resets the CMD of the base',
    dockerfile: 'ENTRYPOINT ["a"]',
    config: { Entrypoint: ['a'], Cmd: null },
  },
  { row: 'CMD shell form', dockerfile: 'CMD a b', config: { Cmd: ['/bin/sh', '-c', 'a b'] } },
  {
    row: 'ENV several',
    dockerfile: 'ENV A=1 B="2 3"\nENV C 4 5',
    config: { Env: ['PATH=/bin:/usr/bin', 'A=1', 'B=2 3', 'C=4 5'] },
  },
  {
    row: 'LABEL, --label',
    dockerfile: 'LABEL a=1 b="2 3"',
    query: { labels: '{"c":"4","a":"5"}' },
    config: { Labels: { a: '5', b: '2 3', c: '4' } },
  },
  {
    row: 'EXPOSE',
    dockerfile: 'EXPOSE 80 90-91/udp',
    config: { ExposedPorts: { '80/tcp': {}, '90/udp': {}, '91/udp': {} } },
  },
  { row: 'VOLUME', dockerfile: 'VOLUME ["/a"]\nVOLUME /b /c', config: { Volumes: { '/a': {}, '/b': {}, '/c': {} } } },
  { row: 'USER', dockerfile: 'USER 12:34\nRUN id -u; id -g', says: /^12\n34$/m, config: { User: '12:34' } },
  {
    row: 'USER unknown',
    dockerfile: 'USER nobody-here\nRUN true',
    fails: /unable to find user nobody-here: no matching entries in passwd file/,
  },
  { row: 'WORKDIR', dockerfile: 'WORKDIR /a\nWORKDIR b\nRUN pwd', says: /^\/a\/b$/m, config: { WorkingDir: '/a/b' } },
  { row: 'STOPSIGNAL', dockerfile: 'STOPSIGNAL SIGUSR1', config: { StopSignal: 'SIGUSR1' } },
  {
    row: 'HEALTHCHECK',
    dockerfile: 'HEALTHCHECK --interval=5s --timeout=3s --retries=2 --start-period=1s --start-interval=2s CMD true',
    config: {
      Healthcheck: {
        Test: ['CMD-SHELL', 'true'],
        Interval: 5e9,
        Timeout: 3e9,
        Retries: 2,
        StartPeriod: 1e9,
        StartInterval: 2e9,
      },
    },
  },
  { row: 'HEALTHCHECK NONE', dockerfile: 'HEALTHCHECK NONE', config: { Healthcheck: { Test: ['NONE'] } } },
  { row: 'ONBUILD', dockerfile: 'ONBUILD RUN true\nONBUILD COPY . /', config: { OnBuild: ['RUN true', 'COPY . /'] } },
  { row: 'MAINTAINER', dockerfile: 'MAINTAINER me' },
  {
    row: 'COPY of a directory',
    dockerfile: 'COPY dir /x',
    layer: [
      'directory 755 0:0 x/',
      'directory 755 0:0 x/sub/',
      'file 644 0:0 x/c.txt "c"',
      'file 644 0:0 x/sub/d.md "d"',
      'symlink 777 0:0 x/out -> /etc/passwd',
    ],
  },
  {
    row: 'COPY of several',
    dockerfile: 'COPY a.txt b.txt /x/',
    layer: ['directory 755 0:0 x/', 'file 644 0:0 x/a.txt "a"', 'file 644 0:0 x/b.txt "b"'],
  },
  {
    row: 'COPY of several needs a slash',
    dockerfile: 'COPY a.txt b.txt /x',
    fails: /When using COPY with more than one source file, the destination must be a directory and end with a \//,
  },
  {
    row: 'COPY wildcards',
    dockerfile: 'COPY *.txt /x/',
    layer: ['directory 755 0:0 x/', 'file 644 0:0 x/a.txt "a"', 'file 644 0:0 x/b.txt "b"'],
  },
  { row: 'COPY JSON', dockerfile: 'COPY ["a.txt", "/x y"]', layer: ['file 644 0:0 x y "a"'] },
  { row: 'COPY to a relative destination', dockerfile: 'WORKDIR /w\nCOPY a.txt x', layer: ['file 644 0:0 w/x "a"'] },
  { row: 'COPY of a link in the context', dockerfile: 'COPY link /x', layer: ['file 644 0:0 x "a"'] },
  { row: 'COPY through a link out of the context', dockerfile: 'COPY dir/out /x', fails: /not found/ },
  {
    row: 'COPY of what is not there',
    dockerfile: 'COPY nope /x',
    fails: /COPY failed: file not found in build context or excluded by .dockerignore: stat nope: file does not exist/,
  },
  { row: 'COPY above the context', dockerfile: 'COPY ../../etc/passwd /x', fails: /not found/ },
  {
    row: 'COPY --chown, --chmod',
    dockerfile: 'COPY --chown=1:2 --chmod=600 a.txt /x/',
    layer: ['directory 755 1:2 x/', 'file 600 1:2 x/a.txt "a"'],
  },
  { row: 'COPY --chmod symbolic', dockerfile: 'COPY --chmod=u+x,go-r a.txt /x', layer: ['file 700 0:0 x "a"'] },
  { row: 'COPY --link', dockerfile: 'COPY --link a.txt /x', layer: ['file 644 0:0 x "a"'] },
  {
    row: 'COPY --parents',
    dockerfile: 'COPY --parents dir/sub/d.md /x/',
    layer: [
      'directory 755 0:0 x/',
      'directory 755 0:0 x/dir/',
      'directory 755 0:0 x/dir/sub/',
      'file 644 0:0 x/dir/sub/d.md "d"',
    ],
  },
  {
    row: 'COPY --exclude',
    dockerfile: 'COPY --exclude=**/*.md --exclude=out dir /x',
    layer: ['directory 755 0:0 x/', 'directory 755 0:0 x/sub/', 'file 644 0:0 x/c.txt "c"'],
  },
  { row: 'COPY keeps modes', dockerfile: 'COPY run.sh /x', layer: ['file 755 0:0 x "#!/bin/sh\\n"'] },
  { row: 'ADD of a file', dockerfile: 'ADD a.txt /x', layer: ['file 644 0:0 x "a"'] },
  {
    row: 'ADD of an archive',
    dockerfile: 'ADD arch.tar.gz /x/',
    layer: ['directory 755 0:0 x/', 'file 640 5:6 x/in "in"'],
  },
  {
    row: 'ADD --unpack=false',
    dockerfile: 'ADD --unpack=false --chmod=600 plain.tar /x/',
    layer: ['directory 755 0:0 x/', 'file 600 0:0 x/plain.tar'],
  },
  {
    row: 'COPY leaves archives alone',
    dockerfile: 'COPY plain.tar /x/',
    layer: ['directory 755 0:0 x/', 'file 644 0:0 x/plain.tar'],
  },
  {
    row: 'ADD --checksum of a local file',
    dockerfile: 'ADD --checksum=sha256:00 a.txt /x',
    fails: /checksum can't be specified for non-HTTP/,
  },
  {
    row: '.dockerignore',
    dockerfile: 'COPY . /x',
    files: { '.dockerignore': '*\n!dir\ndir/sub\n' },
    layer: [
      'directory 755 0:0 x/',
      'directory 755 0:0 x/dir/',
      'file 644 0:0 x/dir/c.txt "c"',
      'symlink 777 0:0 x/dir/out -> /etc/passwd',
    ],
  },
  {
    row: 'Dockerfile.dockerignore',
    dockerfile: 'COPY a.txt b.txt /x/',
    files: { '.dockerignore': 'a.txt\n', 'Dockerfile.dockerignore': 'b.txt\n' },
    fails: /not found.*stat b.txt/,
  },
  {
    row: 'Dockerfile excluded',
    dockerfile: 'COPY a.txt /x',
    files: { '.dockerignore': 'Dockerfile\n' },
    layer: ['file 644 0:0 x "a"'],
  },
  {
    row: 'RUN --mount=type=bind',
    dockerfile: 'RUN --mount=type=bind,target=/m cat /m/a.txt; echo; touch /m/new || echo read-only',
    says: /^a\n[^]*read-only$/m,
  },
  {
    row: 'RUN --mount=type=bind,rw',
    dockerfile: 'RUN --mount=type=bind,target=/m,source=dir,rw touch /m/new && ls /m\nRUN --mount=target=/m ls /m/dir',
    says: /new/,
  },
  {
    row: 'RUN --mount=type=bind leaves no mount point',
    dockerfile: 'RUN --mount=type=bind,target=/deep/down/m echo -n 1 > /x',
    layer: ['file 644 0:0 x "1"'],
  },
  {
    row: 'RUN --mount=from',
    dockerfile: `FROM scratch AS one\nCOPY a.txt /f\nFROM ${busybox}\nRUN --mount=from=one,target=/m cat /m/f`,
    says: /^aRemov/m,
  },
  {
    row: 'RUN --mount=type=cache',
    dockerfile:
      'RUN --mount=type=cache,id=row1,target=/c echo 1 > /c/f\nRUN --mount=type=cache,id=row1,target=/other cat /other/f\nRUN ls /c || echo gone',
    says: /^1$[^]*gone$/m,
  },
  {
    row: 'RUN --mount=type=cache,mode,uid,gid',
    dockerfile: 'RUN --mount=type=cache,id=row2,target=/c,mode=0700,uid=3,gid=4 ls -ldn /c',
    says: /^drwx------ .* 3 +4 /m,
  },
  {
    row: 'RUN --mount=type=cache,ro',
    dockerfile: 'RUN --mount=type=cache,id=row3,target=/c,ro touch /c/x || echo ro',
    says: /ro$/m,
  },
  {
    row: 'RUN --mount=type=cache,from,source',
    dockerfile: `FROM scratch AS one\nCOPY dir /d\nFROM ${busybox}\nRUN --mount=type=cache,id=row4,from=one,source=/d,target=/c cat /c/c.txt`,
    says: /^cRemov/m,
  },
  {
    row: 'RUN --mount=type=tmpfs',
    dockerfile: 'RUN --mount=type=tmpfs,target=/t,size=1m df /t | tail -1',
    says: /^tmpfs +1024 /m,
  },
  {
    row: 'RUN --mount=type=secret required',
    dockerfile: 'RUN --mount=type=secret,id=s,required=true true',
    fails: /secret s: not found/,
  },
  {
    row: 'RUN --mount=type=secret missing',
    dockerfile: 'RUN --mount=type=secret,id=s test ! -e /run/secrets/s && echo none',
    says: /^none$/m,
  },
  { row: 'RUN --mount=type=ssh required', dockerfile: 'RUN --mount=type=ssh,required=true true', fails: /ssh/ },
  { row: 'RUN --mount unknown', dockerfile: 'RUN --mount=type=nope true', fails: /nope/ },
  { row: 'RUN --network=none', dockerfile: 'RUN --network=none ip -o link | wc -l', says: /^1$/m },
  {
    row: 'RUN --network=host',
    dockerfile: 'RUN --network=host ls /sys/class/net | grep -c btest',
    says: /^[1-9]\d*$/m,
  },
  { row: '--network=none', dockerfile: 'RUN ip -o link | wc -l', query: { networkmode: 'none' }, says: /^1$/m },
  { row: '--network unknown', dockerfile: 'RUN true', query: { networkmode: 'nope' }, fails: /network nope not found/ },
  {
    row: 'RUN --security=insecure',
    dockerfile: 'RUN --security=insecure grep CapEff /proc/self/status',
    says: /^CapEff:\s+0000003f|^CapEff:\s+000001ff/m,
  },
  { row: 'RUN --device required', dockerfile: 'RUN --device=vendor.com/x=1,required true', fails: /device/ },
  {
    row: '--add-host',
    dockerfile: 'RUN grep there /etc/hosts',
    query: { extrahosts: 'there:1.2.3.4' },
    says: /^1\.2\.3\.4\s+there$/m,
  },
  {
    row: '--memory',
    dockerfile:
      'RUN cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max; cat /proc/self/cgroup',
    query: { memory: 64 * 1024 * 1024 },
  },
  {
    row: '--shm-size',
    dockerfile: 'RUN df /dev/shm | tail -1',
    query: { shmsize: 2 * 1024 * 1024 },
    says: /^shm +2048 /m,
  },
  {
    row: '--ulimit',
    dockerfile: 'RUN ulimit -n',
    query: { ulimits: '[{"Name":"nofile","Soft":77,"Hard":88}]' },
    says: /^77$/m,
  },
  { row: '# escape', dockerfile: `# escape=\`\nFROM ${busybox}\nRUN echo one \`\n two`, says: /^one two$/m },
  { row: '# check error', dockerfile: `# check=error=true\nFROM ${busybox} AS Upper\nRUN true`, fails: /lint/i },
  { row: 'comments and continuation', dockerfile: 'RUN echo one \\\n# a comment\n  two', says: /^one two$/m },
  { row: 'instruction case', dockerfile: `from ${busybox}\nrun echo lower`, says: /^lower$/m },
  { row: 'unknown instruction', dockerfile: 'FORM x', fails: /unknown instruction: FORM/ },
  {
    row: 'substitution',
    dockerfile: 'ENV A=abcabc\nENV B=${A#ab} C=${A%%b*} D=${A/b/X} E=${A//b/X} F=${Z:-z} G=${A:+y} H=\\$A',
    config: { Env: ['PATH=/bin:/usr/bin', 'A=abcabc', 'B=cabc', 'C=a', 'D=aXcabc', 'E=aXcaXc', 'F=z', 'G=y', 'H=$A'] },
  },
  { row: '${var:?word}', dockerfile: 'ENV A=${Z:?missing}', fails: /missing/ },
  {
    row: 'squash',
    dockerfile: 'RUN true',
    query: { squash: true },
    fails: /squash is only supported with experimental mode/,
  },
  {
    row: 'whiteouts',
    dockerfile: 'RUN mkdir /d && touch /d/x /f\nRUN rm -r /d /f && mkdir /d && touch /d/y',
    layer: ['directory 755 0:0 d/', 'file 0 0:0 .wh.f', 'file 600 0:0 d/.wh..wh..opq', 'file 644 0:0 d/y'],
  },
];

async function withArchives(): Promise<ContextFiles> {
  const plain = await contextTar({ in: { content: 'in', mode: 0o640, uid: 5, gid: 6 } });
  return {
    ...files,
    'plain.tar': { content: plain as unknown as string },
    'arch.tar.gz': { content: gzipSync(plain) as unknown as string },
  };
}

describe('the Dockerfile language', () => {
  for (const { row, dockerfile, query = {}, ...expected } of cases) {
    test(row, async () => {
      const whole = /^(?:FROM|from|ARG [A-Z]+=.*\nFROM|#)/.test(dockerfile)
        ? dockerfile
        : `FROM ${busybox}\n${dockerfile}`;
      const context = { ...(await withArchives()), ...expected.files };
      const answer = await build(engine, whole, { files: context, query }).catch((error: unknown) => {
        if (!expected.fails) throw error;
        return { text: '', imageId: undefined, error: String(error) };
      });
      if (expected.fails) {
        assert.match(answer.error ?? answer.text, expected.fails);
        return;
      }
      assert.equal(answer.error, undefined, answer.text);
      if (expected.says) assert.match(answer.text, expected.says);
      if (expected.config) await assertConfig(answer.imageId ?? '', expected.config);
      if (expected.layer) await assertLayer(answer.imageId ?? '', expected.layer);
    });
  }
});

async function assertConfig(image: string, expected: Readonly<Record<string, unknown>>): Promise<void> {
  const { Config } = await engine.client.get<ImageInspect>(`/images/${image}/json`);
  const shown: Record<string, unknown> = JSON.parse(JSON.stringify(Config));
  for (const [field, value] of Object.entries(expected)) assert.deepEqual(shown[field] ?? null, value, field);
}

async function assertLayer(image: string, expected: readonly string[]): Promise<void> {
  const layers = await imageLayers(engine, image);
  const last = layers.findLast((entries) => entries.length > 0) ?? [];
  const wanted = expected.toSorted();
  const shown = last.filter((entry) => !/^directory 755 0:0 w\/$/.test(entry));
  assert.equal(shown.length, wanted.length, shown.join('\n'));
  for (const [index, entry] of shown.entries())
    assert.ok(entry.startsWith(wanted[index] ?? '?'), `${entry}, not ${wanted[index]}`);
}
