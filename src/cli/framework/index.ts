export {
  anyArgs,
  type Command,
  type CommandLine,
  defineCommand,
  exactArgs,
  maxArgs,
  minArgs,
  noArgs,
  rangeArgs,
} from './command.ts';
export { describeError, exitCodeOf } from './describe-error.ts';
export { forEachArg } from './each.ts';
export { CliError, FlagValueError } from './errors.ts';
export {
  bool,
  bytes,
  custom,
  duration,
  filter,
  type Filters,
  type FlagSpec,
  type FlagSpecs,
  int,
  list,
  string,
  uint,
} from './flags.ts';
export { parseBool, parseDurationNs, parseIntText, parseSizeBytes } from './values.ts';
