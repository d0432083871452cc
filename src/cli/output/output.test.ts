import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPorts } from './container-rows.ts';
import { familiarName, splitTag } from './familiar-name.ts';
import { compactJson, indentJson } from './json-text.ts';
import { ProgressDisplay, progressText } from './progress.ts';
import { alignTabs } from './tabwriter.ts';
import { displayWidth, ellipsis, shortId } from './text.ts';
import { binarySize, humanSize } from './units.ts';

test('humanSize and binarySize print like go-units', () => {
  const decimal = [0, 999, 1000, 1984230, 1e9 + 1, 1.5e12].map((bytes) => humanSize(bytes));
  assert.deepEqual(decimal, ['0B', '999B', '1kB', '1.984MB', '1GB', '1.5TB']);
  assert.deepEqual(
    [1984230, 999.9].map((bytes) => humanSize(bytes, 3)),
    ['1.98MB', '1e+03B'],
  );
  assert.deepEqual([1024, 25276444672, 512].map(binarySize), ['1KiB', '23.54GiB', '512B']);
});

test('alignTabs makes columns of runs of lines, at least ten wide, three apart', () => {
  assert.equal(alignTabs('A\tB\tC\nlonger-cell\tx\ty\n'), 'A             B         C\nlonger-cell   x         y\n');
  assert.equal(alignTabs('a\tb\nno tabs\nlonger-than-ten\tc\n'), 'a         b\nno tabs\nlonger-than-ten   c\n');
  assert.equal(alignTabs('日本語日本語\tb\nx\tc\n'), '日本語日本語   b\nx              c\n');
});

test('ellipsis and shortId cut by columns and by twelve', () => {
  assert.equal(ellipsis('sh -c for i in 1 2 3; do', 20), 'sh -c for i in 1 2 …');
  assert.equal(ellipsis('short', 20), 'short');
  assert.equal(ellipsis('日本語', 4), '日…');
  assert.equal(displayWidth('日a'), 3);
  assert.equal(shortId('sha256:dad622d3302ccdefeb30'), 'dad622d3302c');
});

test('formatPorts draws runs together and names published ports with their hosts', () => {
  const port = (IP: string | undefined, PublicPort: number | undefined, PrivatePort: number, Type = 'tcp') => ({
    ...(IP === undefined ? {} : { IP }),
    ...(PublicPort === undefined ? {} : { PublicPort }),
    PrivatePort,
    Type,
  });
  assert.equal(formatPorts([port(undefined, undefined, 53, 'udp'), port(undefined, undefined, 80)]), '53/udp, 80/tcp');
  assert.equal(
    formatPorts([port('0.0.0.0', 80, 80), port('0.0.0.0', 81, 81), port('::', 80, 80), port('::', 81, 81)]),
    '0.0.0.0:80-81->80-81/tcp, [::]:80-81->80-81/tcp',
  );
  assert.equal(
    formatPorts([port('0.0.0.0', 8080, 80), port(undefined, undefined, 9, 'tcp')]),
    '9/tcp, 0.0.0.0:8080->80/tcp',
  );
});

test('familiarName and splitTag shorten as Docker does', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  assert.equal(familiarName(`docker.io/library/busybox:1@${digest}`), 'busybox:1');
  assert.equal(familiarName('docker.io/me/x'), 'me/x');
  assert.deepEqual(splitTag('localhost:5000/x/y:2'), { repository: 'localhost:5000/x/y', tag: '2' });
});

test('indentJson and compactJson leave tokens alone', () => {
  const text = '[{"a":1.50,"b":{},"c":[],"d":[1,"x, {y}"],"e":"\\u003c"}]';
  assert.equal(
    indentJson(text, '  '),
    '[\n  {\n    "a": 1.50,\n    "b": {},\n    "c": [],\n    "d": [\n      1,\n      "x, {y}"\n    ],\n    "e": "\\u003c"\n  }\n]',
  );
  assert.equal(compactJson(indentJson(text, '\t')), text);
});

test('ProgressDisplay leaves bars out of files and rewrites lines on terminals', () => {
  const lines = [
    { status: 'Pulling from x', id: 'latest' },
    { status: 'Pulling fs layer', progressDetail: {}, id: 'a1' },
    { status: 'Downloading', progressDetail: { current: 1e6, total: 4e6 }, id: 'a1' },
    { status: 'Pull complete', progressDetail: {}, id: 'a1' },
    { stream: 'Loaded\n' },
  ];
  const plain = new ProgressDisplay(false, 80);
  assert.equal(
    lines.map((line) => plain.render(line)).join(''),
    'latest: Pulling from x\na1: Pulling fs layer\na1: Pull complete\nLoaded\n',
  );
  const terminal = new ProgressDisplay(true, 80);
  assert.equal(
    lines
      .slice(1, 3)
      .map((line) => terminal.render(line))
      .join(''),
    '\n\x1b[1A\x1b[2K\ra1: Pulling fs layer \r\x1b[1B\x1b[1A\x1b[2K\ra1: Downloading      1MB/4MB\r\x1b[1B',
  );
});

test('progressText draws the bar only on wide terminals', () => {
  assert.equal(progressText({ current: 1e6, total: 4e6 }, 200), `[${'='.repeat(12)}>${' '.repeat(38)}]      1MB/4MB`);
  assert.equal(progressText({ current: 5e6, total: 4e6 }, 80), '     5MB');
  assert.equal(progressText({ current: 3 }, 80), '      3B');
  assert.equal(progressText({}, 80), '');
});
