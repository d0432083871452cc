import { displayWidth } from './text.ts';

export interface TabLayout {
  /** The least columns a cell takes, padding included. */
  readonly minWidth: number;
  readonly padding: number;
}

/** What Docker's tables use. */
export const tableLayout: TabLayout = { minWidth: 10, padding: 3 };

/**
 * Aligns tab-separated text as Go's tabwriter does: a column is a run of lines that each end a cell there with a tab,
 * and is as wide as its widest cell. What follows a line's last tab belongs to no column.
 */
export function alignTabs(text: string, layout: TabLayout = tableLayout): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths: number[][] = lines.map(() => []);
  alignColumn(lines, widths, 0, lines.length, 0, layout);
  return lines
    .map((cells, row) =>
      cells
        .map((cell, column) => {
          const width = column < cells.length - 1 ? (widths[row]?.[column] ?? 0) : 0;
          return cell + ' '.repeat(Math.max(0, width - displayWidth(cell)));
        })
        .join(''),
    )
    .join('\n');
}

function alignColumn(
  lines: readonly string[][],
  widths: number[][],
  start: number,
  end: number,
  column: number,
  layout: TabLayout,
): void {
  const terminated = (row: number): boolean => (lines[row]?.length ?? 0) > column + 1;
  for (let row = start; row < end; row++) {
    if (!terminated(row)) continue;
    let stop = row;
    let width = layout.minWidth;
    for (; stop < end && terminated(stop); stop++) {
      const cell = lines[stop]?.[column] ?? '';
      width = Math.max(width, displayWidth(cell) + layout.padding);
    }
    for (let each = row; each < stop; each++) {
      const own = widths[each];
      if (own) own[column] = width;
    }
    alignColumn(lines, widths, row, stop, column + 1, layout);
    row = stop - 1;
  }
}
