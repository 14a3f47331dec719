import { stripVTControlCharacters } from 'node:util';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A plain table: columns two blanks apart, titles above. Cells may hold colours. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, i) => Math.max(...lines.map((cells) => visibleWidth(cells[i] ?? ''))));
  return lines
    .map((cells) =>
      columns
        .map(({ align = 'left' }, i) => pad(cells[i] ?? '', widths[i] ?? 0, align))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
    .concat('\n');
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const fill = ' '.repeat(width - visibleWidth(text));
  return align === 'left' ? text + fill : fill + text;
}

function visibleWidth(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}
