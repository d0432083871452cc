import type { CliContext } from '../context.ts';
import { describeError } from './describe-error.ts';
import { CliError } from './errors.ts';

/**
 * Does `work` for each argument and prints what it returns on a line (nothing for undefined), going on after failures;
 * those are told together at the end.
 *
 * @param parallel - Whether the work may overlap; answers are printed in the order of the arguments either way.
 * @throws CliError with one line per failure.
 */
export async function forEachArg(
  ctx: CliContext,
  args: readonly string[],
  work: (arg: string) => Promise<string | undefined | void>,
  parallel = false,
): Promise<void> {
  const failures: string[] = [];
  const started = parallel ? args.map((arg) => settle(work(arg))) : [];
  for (const [index, arg] of args.entries()) {
    const outcome = await (started[index] ?? settle(work(arg)));
    if ('error' in outcome) failures.push(describeError(outcome.error, ctx.program));
    else if (typeof outcome.value === 'string') ctx.out(`${outcome.value}\n`);
  }
  if (failures.length > 0) throw new CliError(failures.join('\n'));
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

async function settle<T>(promise: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}
