import type { Paint } from './palette.ts';
import displayWidth, { broken, fit } from '../../width.ts';

export interface Cell { readonly text: string; readonly paint?: Paint }

export interface Column<Row> {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** It may be cut to this many columns, and further where nothing is left to be left out; absent: never. */
  readonly least?: number;
  /** Columns of higher rank leave their places first when the table does not fit; absent: always shown. */
  readonly spare?: number;
  readonly cell: (row: Row) => Cell;
  /** How its text reads below the row, without the title over it; absent: title and text. Null leaves it out. */
  readonly below?: (text: string) => string | null;
}

/** What becomes of columns that do not fit: left out, or shown below their row. */
export interface TableLook {
  readonly below?: Paint;
  /** What is shown below a row goes on over more lines instead of being cut. */
  readonly wraps?: boolean;
}

/** Lines of one row; more than one when cells are shown below it. */
export interface TableRows { readonly header: string; readonly rows: readonly (readonly string[])[] }

/**
 * Lines of a table in `width` columns, or as wide as it takes when that is null. Cells are cut first, the last column
 * before the others; then whole columns go.
 */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number | null, look: TableLook = {}): string[] {
  const made = tableRows(columns, rows, width, look);
  return [made.header, ...made.rows.flat()];
}

/** As `table`, row by row. */
export function tableRows<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number | null, { below, wraps = false }: TableLook = {}): TableRows {
  const cells = new Map(columns.map((column) => [column, rows.map((row) => measured(column.cell(row)))]));
  const naturals = new Map(columns.map((column) => [column, Math.max(displayWidth(column.title), ...(cells.get(column) ?? []).map(({ width: own }) => own))]));
  const natural = (column: Column<Row>): number => naturals.get(column) ?? 0;
  const shown = width === null ? columns : choose(columns, natural, width);
  const widths = shrink(shown, natural, width);
  const line = (cellOf: (column: Column<Row>) => Measured): string =>
    shown.map((column, index) => place(cellOf(column), column.align, widths[index] ?? 0, index === shown.length - 1)).join(GAP).trimEnd();
  const hidden = below === undefined ? [] : columns.filter((column) => !shown.includes(column));
  const rest = (row: number): string[] => wrap(hidden.flatMap((column) => {
    const text = cells.get(column)?.[row]?.text ?? '';
    const shownBelow = column.below === undefined ? `${column.title.toLowerCase()} ${text}` : column.below(text);
    return text === '' || text === '-' || shownBelow === null ? [] : [shownBelow];
  }), (width ?? Infinity) - INDENT.length, wraps).map((text) => INDENT + (below ?? String)(text));
  return {
    header: line(({ title }) => measured({ text: title })),
    rows: rows.map((_, row) => [line((column) => cells.get(column)?.[row] ?? measured({ text: '' })), ...rest(row)]),
  };
}

/** Parts in lines of `width`, no part torn apart unless it is longer than a line; then it is cut, or goes on. */
function wrap(parts: readonly string[], width: number, wraps: boolean): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && displayWidth(last) + SEPARATOR.length + displayWidth(part) <= width) lines[lines.length - 1] = last + SEPARATOR + part;
    else lines.push(...(wraps ? broken(part, width) : [fit(part, width)]));
  }
  return lines;
}

const INDENT = '    ';
const SEPARATOR = ' · ';

/** Those that fit when each is cut as far as it may be. */
function choose<Row>(columns: readonly Column<Row>[], natural: (column: Column<Row>) => number, width: number): readonly Column<Row>[] {
  const leastOf = (column: Column<Row>): number => Math.min(natural(column), Math.max(column.least ?? Infinity, column.title.length));
  let shown = columns;
  while (total(shown.map(leastOf)) > width) {
    const dispensable = shown.filter(({ spare }) => spare !== undefined).sort((one, other) => (other.spare ?? 0) - (one.spare ?? 0))[0];
    if (dispensable === undefined) return shown;
    shown = shown.filter((column) => column !== dispensable);
  }
  return shown;
}

function shrink<Row>(columns: readonly Column<Row>[], natural: (column: Column<Row>) => number, width: number | null): number[] {
  const widths = columns.map(natural);
  if (width === null) return widths;
  for (const most of [Infinity, NARROW]) {
    for (let index = columns.length - 1; index >= 0; index -= 1) {
      const excess = total(widths) - width;
      const column = columns[index];
      const now = widths[index] ?? 0;
      if (excess <= 0 || column?.least === undefined) continue;
      widths[index] = Math.max(Math.min(now, most, Math.max(column.least, column.title.length)), now - excess);
    }
  }
  return widths;
}

/** On a screen of a few columns: the name of a unit is cut rather than its state. */
const NARROW = 8;

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, widths.length - 1);
}

/** With the columns that its text takes, which are counted once. */
interface Measured extends Cell { readonly width: number }

function measured({ text, paint }: Cell): Measured {
  return { text, width: displayWidth(text), ...(paint !== undefined && { paint }) };
}

function place(cell: Measured, align: 'left' | 'right', width: number, isLast: boolean): string {
  const { text, paint = String, width: taken } = cell.width <= width ? cell : measured({ ...cell, text: fit(cell.text, width) });
  const blanks = ' '.repeat(Math.max(0, width - taken));
  if (align === 'right') return blanks + paint(text);
  return isLast ? paint(text) : paint(text) + blanks;
}

const GAP = '  ';
