import type { CheckDirective } from './directives.ts';
import type { ArgInstruction, Instruction, Stage } from './instruction.ts';
import { isChecked, type LintRuleName, type LintWarning } from './lint.ts';
import type { LogicalLine } from './logical-lines.ts';
import type { DockerfileSource, SourceRange } from './source.ts';

export type { LintWarning } from './lint.ts';

interface Parsed {
  readonly source: DockerfileSource;
  readonly lines: readonly LogicalLine[];
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  readonly check: CheckDirective;
}

type Finding = readonly [rule: LintRuleName, message: string, range: SourceRange];

const reservedNames = new Set(['scratch', 'context']);
const secretPattern = /(?:^|_)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const publicPattern = /(?:^|_)public(?:_|$)/i;
const platformVariables = ['TARGETPLATFORM', '{TARGETPLATFORM}'].map((name) => `$${name}`);

/** The rules that need nothing but the text. */
export function lintSyntax(parsed: Parsed): LintWarning[] {
  const findings = [
    ...parsed.lines.flatMap(lintLine),
    ...lintCasing(parsed.lines),
    ...lintStageNames(parsed.stages),
    ...parsed.globalArgs.flatMap(lintInstruction),
    ...parsed.stages.flatMap(lintStage),
  ];
  return findings
    .filter(([rule]) => isChecked(rule, parsed.check))
    .map(([rule, message, range]) => ({ rule, message, range: pick(range) }))
    .sort((a, b) => a.range.startLine - b.range.startLine);
}

function pick({ startLine, endLine }: SourceRange): SourceRange {
  return { startLine, endLine };
}

function keywordOf(line: LogicalLine): string {
  return /^\S+/.exec(line.text)?.[0] ?? '';
}

function lintLine(line: LogicalLine): Finding[] {
  const findings: Finding[] = [];
  if (line.hasEmptyContinuation) findings.push(['NoEmptyContinuation', 'Empty continuation line', line]);
  const [from = '', , ...rest] = line.text
    .trim()
    .split(/\s+/)
    .filter((word) => !word.startsWith('--'));
  const [as] = rest;
  if (from.toUpperCase() === 'FROM' && as !== undefined && as.toUpperCase() === 'AS') {
    const cased = from === from.toUpperCase() ? as.toUpperCase() : from === from.toLowerCase() ? as.toLowerCase() : as;
    if (cased !== as) findings.push(['FromAsCasing', `'${as}' and '${from}' keywords' casing do not match`, line]);
  }
  if (from.toUpperCase() === 'ARG') findings.push(...lintDescription('ARG', argNames(line), line.comments, line));
  return findings;
}

function argNames(line: LogicalLine): string[] {
  const [, ...words] = line.text.trim().split(/\s+/);
  return words.map((word) => word.split('=', 1)[0] ?? '');
}

/** All keywords in upper or all in lower case, as most are. */
function lintCasing(lines: readonly LogicalLine[]): Finding[] {
  const isLower = (word: string): boolean => word === word.toLowerCase();
  const isUpper = (word: string): boolean => word === word.toUpperCase();
  const keywords = lines.map((line) => ({ line, keyword: keywordOf(line) }));
  const lower = keywords.filter(({ keyword }) => isLower(keyword)).length;
  const upper = keywords.filter(({ keyword }) => isUpper(keyword)).length;
  const [fits, name] = lower > upper ? [isLower, 'lowercase'] : [isUpper, 'uppercase'];
  return keywords
    .filter(({ keyword }) => !fits(keyword))
    .map(({ keyword, line }) => [
      'ConsistentInstructionCasing',
      `Command '${keyword}' should match the case of the command majority (${name})`,
      line,
    ]);
}

function lintStageNames(stages: readonly Stage[]): Finding[] {
  const seen = new Set<string>();
  return stages.flatMap(({ name, writtenName, range }): Finding[] => {
    const findings: Finding[] = [];
    if (writtenName !== writtenName.toLowerCase()) {
      findings.push(['StageNameCasing', `Stage name '${writtenName}' should be lowercase`, range]);
    }
    if (reservedNames.has(name)) {
      findings.push([
        'ReservedStageName',
        `Stage name should not use the same name as reserved stage ${JSON.stringify(name)}`,
        range,
      ]);
    }
    if (seen.has(name)) {
      findings.push([
        'DuplicateStageName',
        `Duplicate stage name ${JSON.stringify(writtenName)}, stage names should be unique`,
        range,
      ]);
    }
    if (name !== '') seen.add(name);
    return findings;
  });
}

function lintStage(stage: Stage): Finding[] {
  const { platform, comments, range } = stage;
  const findings: Finding[] = stage.instructions.flatMap(lintInstruction);
  findings.push(...lintRepeats(stage.instructions));
  if (platformVariables.includes(platform)) {
    findings.push([
      'RedundantTargetPlatform',
      `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`,
      range,
    ]);
  } else if (platform !== '' && !platform.includes('$')) {
    findings.push([
      'FromPlatformFlagConstDisallowed',
      `FROM --platform flag should not use constant value ${JSON.stringify(platform)}`,
      range,
    ]);
  }
  if (stage.name !== '') findings.push(...lintDescription('FROM', [stage.name], comments, range));
  return findings;
}

/** Only the last of these counts in a stage. */
function lintRepeats(instructions: readonly Instruction[]): Finding[] {
  return (['cmd', 'entrypoint', 'healthcheck'] as const).flatMap((kind): Finding[] => {
    const all = instructions.filter((instruction) => instruction.kind === kind);
    const name = kind.toUpperCase();
    const message = `Multiple ${name} instructions should not be used in the same stage because only the last one will be used`;
    return all.slice(0, -1).map(({ range }) => ['MultipleInstructionsDisallowed', message, range]);
  });
}

function lintInstruction(instruction: Instruction): Finding[] {
  const { range } = instruction;
  switch (instruction.kind) {
    case 'maintainer':
      return [['MaintainerDeprecated', 'Maintainer instruction is deprecated in favor of using label', range]];
    case 'cmd':
    case 'entrypoint':
      return lintCommand(instruction);
    case 'env':
    case 'label':
      return lintPairs(instruction);
    case 'arg':
      return instruction.args
        .filter(({ name }) => namesSecret(name))
        .map(({ name }) => secretFinding('ARG', name, range));
    case 'expose':
      return instruction.ports.flatMap((port) => lintPort(port, range));
    default:
      return [];
  }
}

function lintCommand({ kind, command, range }: Extract<Instruction, { kind: 'cmd' | 'entrypoint' }>): Finding[] {
  if (command.form === 'exec' || command.args.length === 0) return [];
  const message = `JSON arguments recommended for ${kind.toUpperCase()} to prevent unintended behavior related to OS signals`;
  return [['JSONArgsRecommended', message, range]];
}

function lintPairs({ kind, pairs, isLegacy, range }: Extract<Instruction, { kind: 'env' | 'label' }>): Finding[] {
  const name = kind.toUpperCase();
  const findings: Finding[] = [];
  if (isLegacy) {
    const message = `"${name} key=value" should be used instead of legacy "${name} key value" format`;
    findings.push(['LegacyKeyValueFormat', message, range]);
  }
  if (kind === 'env') {
    findings.push(...pairs.filter(({ key }) => namesSecret(key)).map(({ key }) => secretFinding('ENV', key, range)));
  }
  return findings;
}

function namesSecret(name: string): boolean {
  return secretPattern.test(name) && !publicPattern.test(name);
}

function secretFinding(instruction: string, name: string, range: SourceRange): Finding {
  const quoted = JSON.stringify(name);
  return [
    'SecretsUsedInArgOrEnv',
    `Do not use ARG or ENV instructions for sensitive data (${instruction} ${quoted})`,
    range,
  ];
}

function lintPort(port: string, range: SourceRange): Finding[] {
  const [numbers = '', protocol = ''] = port.split('/');
  const findings: Finding[] = [];
  if (protocol !== protocol.toLowerCase() && !protocol.includes('$')) {
    findings.push(['ExposeProtoCasing', `Defined protocol '${port}' in EXPOSE instruction should be lowercase`, range]);
  }
  if (/[:[]/.test(numbers) && !numbers.includes('$')) {
    const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`;
    findings.push(['ExposeInvalidFormat', message, range]);
  }
  return findings;
}

function lintDescription(
  instruction: string,
  names: readonly string[],
  comments: readonly string[],
  range: SourceRange,
): Finding[] {
  const [word = ''] = comments.at(-1)?.split(' ') ?? [];
  if (comments.length === 0 || names.includes(word)) return [];
  const message = `Comment for ${instruction} should follow the format: \`# ${names.length === 1 ? names[0] : '<arg_key>'} <description>\``;
  return [['InvalidDefinitionDescription', message, range]];
}
