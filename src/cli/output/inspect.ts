import type { CliContext } from '../context.ts';
import { describeError } from '../framework/describe-error.ts';
import { CliError } from '../framework/errors.ts';

/** An object as the API gave it, and the Go struct templates see it as (`container.InspectResponse`). */
export interface Inspected {
  readonly json: string;
  readonly structName: string;
}

/** Docker's exit code for a template that does not parse. */
const badTemplateCode = 64;

/**
 * Fetches objects and prints them as `--format` says: a JSON array, `json` on one line, or a template each.
 *
 * What was found is printed also when others failed; those are told together at the end.
 *
 * @throws CliError
 */
export async function inspectAll(
  ctx: CliContext,
  names: readonly string[],
  format: string,
  fetch: (name: string) => Promise<Inspected>,
): Promise<void> {
  const render = format === '' || format === 'json' ? undefined : await templateRenderer(format);
  const rendered: string[] = [];
  const failures: string[] = [];
  for (const name of names) {
    try {
      const object = await fetch(name);
      rendered.push(render ? render(object) : object.json);
    } catch (error) {
      failures.push(describeError(error, ctx.program));
    }
  }
  if (render) ctx.out(rendered.length === 0 ? '\n' : rendered.map((text) => `${text}\n`).join(''));
  else {
    const { compactJson, indentJson } = await import('./json-text.ts');
    const array = `[${rendered.join(',')}]`;
    ctx.out(`${format === 'json' ? compactJson(array) : indentJson(array, '    ')}\n`);
  }
  if (failures.length > 0) throw new CliError(failures.join('\n'));
}

/** Templates see the typed object first; where that fails, the plain JSON, whose failure then counts. */
async function templateRenderer(format: string): Promise<(object: Inspected) => string> {
  const { asGoStruct, executeTemplate, parseGoJson, parseTemplate, standardFunctions } =
    await import('../templates/index.ts');
  const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
  const functions = standardFunctions;
  try {
    const template = parseTemplate(format, new Set(functions.keys()));
    return ({ json, structName }) => {
      const value = parseGoJson(json);
      try {
        return executeTemplate(template, asGoStruct(value, structName), { functions });
      } catch {
        try {
          return executeTemplate(template, value, { functions, missingKeyIsError: true, untyped: true });
        } catch (error) {
          throw new CliError(`template parsing error: ${message(error)}`);
        }
      }
    };
  } catch (error) {
    throw new CliError(`template parsing error: ${message(error)}`, badTemplateCode);
  }
}
