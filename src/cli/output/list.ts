import type { CliContext } from '../context.ts';
import { CliError } from '../framework/errors.ts';
import type { GoRow, RowColumns } from '#templates';
import { alignTabs } from './tabwriter.ts';

/** One row of a list: its columns, and methods with an argument (`.Label "x"`). */
export interface ListRow {
  readonly columns: RowColumns;
  readonly methods?: GoRow['methods'];
}

/** What a kind of list looks like, whatever its rows. */
export interface ListShape {
  /** Docker's name of the row type, which messages mention. */
  readonly typeName: string;
  /** Column names to their heads. */
  readonly headers: Readonly<Record<string, string>>;
  /** The columns of the plain table. */
  readonly columns: readonly string[];
  /** Template of `--format raw`, if there is one. */
  readonly raw?: string;
}

/**
 * Prints rows as `--format` says: `table` (also when empty), `json`, `raw`, `table TEMPLATE` or a template.
 *
 * @throws CliError for a template that does not parse or does not fit.
 */
export async function printList(
  ctx: CliContext,
  shape: ListShape,
  format: string,
  rows: readonly ListRow[],
): Promise<void> {
  ctx.out(await renderList(shape, format, rows));
}

/** The text {@link printList} prints. @throws CliError for a template that does not parse or does not fit. */
export async function renderList(shape: ListShape, format: string, rows: readonly ListRow[]): Promise<string> {
  if (format === '' || format === 'table') return plainTable(shape, rows);
  return await formatList(shape, format === 'raw' && shape.raw !== undefined ? shape.raw : format, rows);
}

/** The plain table, without the template interpreter. */
export function plainTable(shape: ListShape, rows: readonly ListRow[]): string {
  const lines = [shape.columns.map((name) => shape.headers[name] ?? name)];
  for (const { columns } of rows) lines.push(shape.columns.map((name) => String(columns[name]?.() ?? '')));
  return alignTabs(`${lines.map((cells) => cells.join('\t')).join('\n')}\n`);
}

async function formatList(shape: ListShape, format: string, rows: readonly ListRow[]): Promise<string> {
  const { executeTemplate, GoRow, headerFunctions, parseTemplate, standardFunctions } =
    await import('../templates/index.ts');
  const isTable = format.startsWith('table');
  try {
    const template = parseTemplate(templateText(format), new Set(standardFunctions.keys()));
    const body = rows
      .map((row) => new GoRow(shape.typeName, row.columns, row.methods))
      .map((row) => `${executeTemplate(template, row, { functions: standardFunctions })}\n`)
      .join('');
    if (!isTable) return body;
    const heads = Object.entries(shape.headers).map(([name, head]) => [name, () => head] as const);
    const header = new GoRow('formatter.SubHeaderContext', Object.fromEntries(heads), { Label: labelHead });
    return alignTabs(`${executeTemplate(template, header, { functions: headerFunctions })}\n${body}`);
  } catch (error) {
    throw new CliError(`template parsing error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The head of a `{{.Label "com.example.some-key"}}` column: `some key`. */
function labelHead(label: string): string {
  return (label.split('.').at(-1) ?? '').replaceAll(/[-_]/g, ' ');
}

/** The template within a format: without `table`, with `\t` and `\n` made real. */
export function templateText(format: string): string {
  if (format === 'json') return '{{json .}}';
  const template = format.startsWith('table') ? format.slice('table'.length) : format;
  return template
    .replaceAll(/^ +| +$/g, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
}
