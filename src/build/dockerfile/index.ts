export { parseCheck, type CheckDirective, type Directives } from './directives.ts';
export { heredocText, type Heredoc } from './heredoc.ts';
export type {
  AddInstruction,
  ArgInstruction,
  CommandLine,
  CopyInstruction,
  CopySources,
  Instruction,
  KeyValue,
  RunInstruction,
  Stage,
} from './instruction.ts';
export { isChecked, LINT_RULES, type LintRuleName, type LintWarning } from './lint.ts';
export { mountFrom, parseMount, type RunMount } from './mounts.ts';
export { parseDockerfile, parseTrigger, type Dockerfile, type ParseOptions } from './parse.ts';
export { expand, type Expanded, type ExpandOptions, type Variables } from './shell-words.ts';
export { DockerfileProblem, excerpt, parseError, type DockerfileSource, type SourceRange } from './source.ts';
export { suggestion } from './suggest.ts';
