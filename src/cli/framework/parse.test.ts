import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bool, bytes, duration, filter, int, list, string, uint } from './flags.ts';
import { flagUsages } from './help.ts';
import { FlagSyntaxError, parseFlags } from './parse.ts';
import { parseDurationNs, parseSizeBytes } from './values.ts';

const specs = {
  all: bool('Show all', { short: 'a' }),
  human: bool('Print sizes in human readable format', { initial: true }),
  filter: filter(undefined, { short: 'f' }),
  last: int('Show n last', { short: 'n', initial: -1 }),
  port: list('Publish', { short: 'p' }),
  name: string('Name', { aliases: ['title'] }),
  memory: bytes('Memory limit', { short: 'm' }),
  wait: duration('How long'),
  count: uint('How many'),
};

function parse(line: string, interspersed = true): ReturnType<typeof parseFlags> {
  return parseFlags(specs, line === '' ? [] : line.split(' '), interspersed);
}

test('parseFlags takes pflag forms: bundles, glued and separate values, =, --', () => {
  const { values, args, given } = parse('-ap80 x --port=81 -p=82 --name n y -n 3 --human=false -- -a');
  assert.deepEqual(values['port'], ['80', '81', '82']);
  assert.deepEqual([values['all'], values['name'], values['last'], values['human']], [true, 'n', 3, false]);
  assert.deepEqual(args, ['x', 'y', '-a']);
  assert.ok(given.has('last') && !given.has('memory'));
  assert.equal(parse('--title t').values['name'], 't');
});

test('parseFlags stops at the first positional when flags may not follow', () => {
  const { values, args } = parse('-a image ls -a --help', false);
  assert.deepEqual([values['all'], args], [true, ['image', 'ls', '-a', '--help']]);
});

test('parseFlags collects filters and reads sizes and durations', () => {
  const { values } = parse('-f label=a=b -f Label=c -m 1.5g --wait 1m30s');
  assert.deepEqual(values['filter'], { label: ['a=b', 'c'] });
  assert.equal(values['memory'], 1.5 * 1024 ** 3);
  assert.equal(values['wait'], 90e9);
});

const refused: readonly (readonly [string, string])[] = [
  ['--foo', 'unknown flag: --foo'],
  ['--al', 'unknown flag: --al'],
  ['-abc', "unknown shorthand flag: 'b' in -bc"],
  ['-n', "flag needs an argument: 'n' in -n"],
  ['--name', 'flag needs an argument: --name'],
  ['-n x', 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  ['--last=', 'invalid argument "" for "-n, --last" flag: strconv.ParseInt: parsing "": invalid syntax'],
  ['-a=x', 'invalid argument "x" for "-a, --all" flag: strconv.ParseBool: parsing "x": invalid syntax'],
  ['--count -1', 'invalid argument "-1" for "--count" flag: strconv.ParseUint: parsing "-1": invalid syntax'],
  ['--wait 3x', 'invalid argument "3x" for "--wait" flag: time: unknown unit "x" in duration "3x"'],
  ['-m x', 'invalid argument "x" for "-m, --memory" flag: invalid size: \'x\''],
  ['---x', 'bad flag syntax: ---x'],
];

for (const [line, message] of refused) {
  test(`parseFlags refuses ${line}`, () => {
    assert.throws(
      () => parse(line),
      (error: unknown) => error instanceof FlagSyntaxError && error.message === message,
    );
  });
}

test('parseFlags sees help in both spellings', () => {
  assert.deepEqual([parse('--help').help, parse('-ah').help, parse('x').help], ['long', 'shorthand', false]);
});

test('sizes and durations read as Go reads them', () => {
  assert.deepEqual(['64', '1k', '1kb', '1KiB', '2 m', '0.5g'].map(parseSizeBytes), [
    64,
    1024,
    1024,
    1024,
    2 << 20,
    1 << 29,
  ]);
  assert.deepEqual(['0', '1h2m3s', '-1.5s', '10us', '1ns'].map(parseDurationNs), [0, 3723e9, -1.5e9, 10_000, 1]);
  assert.throws(() => parseDurationNs('5'), { message: 'time: missing unit in duration "5"' });
  assert.throws(() => parseDurationNs(''), { message: 'time: invalid duration ""' });
});

test('flagUsages aligns names and wraps descriptions as pflag does', () => {
  const flags = {
    last: int('Show n last created containers (includes all states)', { short: 'n', initial: -1 }),
    format: string(
      "Format output using a custom template:\n'table':            Print output in table format with column headers (default)",
    ),
    hidden: bool('Never shown', { hidden: true }),
    config: string('Location of client config files', { initial: '/root/.docker' }),
  };
  assert.equal(
    flagUsages(flags, 79),
    `      --config string   Location of client config files (default
                        "/root/.docker")
      --format string   Format output using a custom template:
                        'table':            Print output in table format
                        with column headers (default)
  -n, --last int        Show n last created containers (includes all
                        states) (default -1)
`,
  );
});
