import { parseGoDuration } from '#lib';
import type { HealthConfig } from '#spec';
import { parseFlags } from './flags.ts';
import { type InstructionLine, parseCommand } from './instruction-line.ts';
import { DockerfileProblem } from './source.ts';

const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

/** @throws DockerfileProblem with Docker's texts. */
export function parseHealthcheck(given: InstructionLine): HealthConfig {
  const match = /^(\S+)\s*(.*)$/s.exec(given.rest);
  if (!match) throw new DockerfileProblem('HEALTHCHECK requires at least one argument', given.keyword);
  const [, type = '', rest = ''] = match;
  if (type.toUpperCase() === 'NONE') {
    if (rest !== '') throw new DockerfileProblem('HEALTHCHECK NONE takes no arguments', rest);
    parseFlags(given.flags, {});
    return { Test: ['NONE'] };
  }
  const flags = parseFlags(given.flags, {
    interval: 'string',
    timeout: 'string',
    'start-period': 'string',
    'start-interval': 'string',
    retries: 'string',
  });
  if (type.toUpperCase() !== 'CMD') {
    throw new DockerfileProblem(`Unknown type ${JSON.stringify(type.toUpperCase())} in HEALTHCHECK (try CMD)`, type);
  }
  const command = parseCommand({ rest, line: given.line });
  if (command.args.length === 0) throw new DockerfileProblem('Missing command after HEALTHCHECK CMD', type);
  return {
    Test: [command.form === 'exec' ? 'CMD' : 'CMD-SHELL', ...command.args],
    ...duration('Interval', 'interval', flags.interval),
    ...duration('Timeout', 'timeout', flags.timeout),
    ...duration('StartPeriod', 'start-period', flags['start-period']),
    ...duration('StartInterval', 'start-interval', flags['start-interval']),
    ...retries(flags.retries),
  };
}

/** One member, absent when the flag is absent or zero. */
function duration(
  member: 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval',
  flag: string,
  text: string,
): HealthConfig {
  if (text === '') return {};
  const nanoseconds = parseGoDuration(text);
  if (nanoseconds === undefined) throw new DockerfileProblem(`time: invalid duration ${JSON.stringify(text)}`, text);
  if (nanoseconds === 0n) return {};
  if (nanoseconds < NANOSECONDS_PER_MILLISECOND) {
    throw new DockerfileProblem(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`, text);
  }
  return { [member]: Number(nanoseconds) };
}

function retries(text: string): HealthConfig {
  if (text === '') return {};
  if (!/^[+-]?\d{1,9}$/.test(text)) {
    throw new DockerfileProblem(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`, text);
  }
  const count = Number(text);
  if (count < 0) throw new DockerfileProblem(`--retries cannot be negative (${count})`, text);
  return count === 0 ? {} : { Retries: count };
}
