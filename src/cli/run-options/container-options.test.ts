import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { differences, type Expectation, readCases } from '../../../test/helpers/run-option-cases.ts';
import { CliError } from '../framework/errors.ts';
import { FlagSyntaxError, parseFlags } from '../framework/parse.ts';
import { string } from '../framework/flags.ts';
import { parseContainerOptions } from './container-options.ts';
import { forApiVersion, refuseWindowsFlags } from './for-api-version.ts';
import { containerFlags, type ContainerFlags } from './flags.ts';

const fixtures = join(import.meta.dirname, '../../../test/fixtures/run-options');
/* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file */
const recorded = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as {
  base: unknown;
  expected: Record<string, Expectation>;
};

process.env['FROM_HOST'] = 'host value';
process.env['EMPTY_ON_HOST'] = '';
delete process.env['NOT_THERE'];
process.chdir(fixtures);

const specs = { ...containerFlags, pull: string('') };

function outcome(args: readonly string[]): Expectation {
  try {
    const line = parseFlags(specs, [...args, 'image'], false);
    /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseFlags fills the table's names */
    const flags = line.values as unknown as ContainerFlags;
    const given = (name: string): boolean => line.given.has(name);
    refuseWindowsFlags(given);
    const environment = { env: process.env, daemonHost: '' };
    const request = forApiVersion(
      parseContainerOptions(flags, given, 'image', line.args.slice(1), environment),
      '1.50',
    );
    const body = { ...request.config, HostConfig: request.hostConfig, NetworkingConfig: request.networkingConfig };
    const portable = JSON.stringify(body)
      .replaceAll(fixtures, '$FIXTURES')
      .replaceAll(dirname(fixtures), '$FIXTURES/..');
    const wire: unknown = JSON.parse(portable);
    return { body: differences(recorded.base, wire) };
  } catch (error) {
    if (error instanceof FlagSyntaxError) return { error: error.message };
    if (error instanceof CliError) return { error: prefixed(error.message) };
    throw error;
  }
}

/** The command puts the program's name before messages, except those about the daemon's system. */
function prefixed(message: string): string {
  return message.includes('only supported on a Docker daemon') ? `${message}\n` : `docker: ${message}`;
}

for (const { line, args } of readCases(join(fixtures, 'cases.txt'))) {
  test(`parseContainerOptions makes of "${line}" what Docker's client makes of it`, () => {
    assert.deepEqual(outcome(args), recorded.expected[line]);
  });
}
