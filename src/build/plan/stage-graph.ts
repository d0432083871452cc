import { DockerfileProblem, mountFrom, suggestion, type Instruction, type Stage } from '../dockerfile/index.ts';

/** What a name in FROM or `--from` means. */
export type Origin =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'name'; readonly name: string };

/** The stage that the build is for. @throws DockerfileProblem with Docker's text. */
export function findTarget(stages: readonly Stage[], target: string): number {
  if (target === '') return stages.length - 1;
  const byName = stages.findLastIndex(({ name }) => name === target.toLowerCase());
  if (byName >= 0) return byName;
  const number = /^\d+$/.test(target) ? Number(target) : -1;
  if (number >= 0 && number < stages.length) return number;
  const names = stages.flatMap(({ name }) => (name === '' ? [] : [name]));
  throw new DockerfileProblem(`target stage ${JSON.stringify(target)} could not be found${suggestion(target, names)}`);
}

/** What a stage's base is: an earlier stage of that name, else an image. */
export function originOfBase(stages: readonly Stage[], index: number, base: string): Origin {
  if (base === 'scratch') return { kind: 'scratch' };
  const found = stages.slice(0, index).findLastIndex(({ name }) => name !== '' && name === base.toLowerCase());
  return found >= 0 ? { kind: 'stage', index: found } : { kind: 'name', name: base };
}

/** What a `--from` is: an earlier stage by name or number, else an image. @throws DockerfileProblem. */
export function originOfFrom(stages: readonly Stage[], index: number, from: string): Origin {
  if (/^\d+$/.test(from)) {
    const number = Number(from);
    if (number < index) return { kind: 'stage', index: number };
    throw new DockerfileProblem(
      number < stages.length
        ? `cannot copy from stage ${JSON.stringify(from)}, it needs to be defined before current stage`
        : `invalid from flag value ${from}: invalid stage index ${from}`,
      from,
    );
  }
  const earlier = originOfBase(stages, index, from);
  if (earlier.kind !== 'name') return earlier;
  const later = stages.findIndex(({ name }) => name === from.toLowerCase());
  if (later < 0) return earlier;
  const name = stages[index]?.name ?? '';
  throw new DockerfileProblem(
    `cannot copy from stage ${JSON.stringify(from)}, it needs to be defined before current stage ${JSON.stringify(name)}`,
    from,
  );
}

/** The names that an instruction takes files from, the main context not among them. */
export function fromsOf(instruction: Instruction): string[] {
  if (instruction.kind === 'copy') return instruction.from === '' ? [] : [checkedFrom(instruction.from)];
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.map(mountFrom).filter((from) => from !== '');
}

function checkedFrom(from: string): string {
  if (!/\$./.test(from)) return from;
  throw new DockerfileProblem(
    'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
    from,
  );
}
