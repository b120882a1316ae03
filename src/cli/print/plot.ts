/** Lines of a plot and, apart from them, its scale: the label of each line. */
export interface Plot {
  readonly rows: readonly { readonly value: number; readonly text: string }[];
}

const HEIGHT = 10;

/**
 * systemg 0.33.0's plot of one series in `width` cells: what lies between two values is drawn as a line that rises and falls, the labels stand
 * left of the axis. `values` is not empty.
 */
export function plot(values: readonly number[], width: number): Plot {
  const points = stretch(resample(values, POINTS), width);
  const low = Math.min(...points, 0);
  const top = Math.max(...points);
  const margin = Math.max(deviation(points), 0.1 * (top - low), 0.05 * top);
  const high = top + margin;
  const interval = Math.abs(high - low);
  const ratio = interval === 0 ? 1 : HEIGHT / interval;
  const floor = Math.round(low * ratio);
  const rows = Math.round(high * ratio) - floor;
  const cells = Array.from({ length: rows + 1 }, () => Array.from({ length: width }, () => ' '));
  const rowOf = (value: number): number => rows - (Math.round(value * ratio) - floor);
  const put = (row: number, column: number, mark: string): void => {
    const line = cells[row];
    if (line !== undefined) line[column] = mark;
  };
  for (let column = 0; column + 1 < points.length; column += 1) {
    const from = rowOf(points[column] ?? 0);
    const to = rowOf(points[column + 1] ?? 0);
    if (from === to) {
      put(from, column, '─');
      continue;
    }
    put(to, column, to > from ? '╰' : '╭');
    put(from, column, to > from ? '╮' : '╯');
    for (let row = Math.min(from, to) + 1; row < Math.max(from, to); row += 1) put(row, column, '│');
  }
  // Without the last bits of what does not come out even: no -0.0000.
  const labelOf = (row: number): number => (rows === 0 ? low : Math.round((high - (row * interval) / rows) * 1e9) / 1e9 + 0);
  const wide = Math.max(labelOf(0).toFixed(4).length, labelOf(rows).toFixed(4).length) + 1;
  const first = rowOf(points[0] ?? 0);
  return {
    rows: cells.map((line, row) => {
      // The last character of all is missing, as in 0.33.0's.
      const drawn = row === rows ? line.slice(0, -1) : line;
      return { value: labelOf(row), text: `${labelOf(row).toFixed(4).padStart(wide)} ${row === first ? '┼' : '┤'}${drawn.join('')}` };
    }),
  };
}

const POINTS = 48;

/** Fewer are interpolated, more are picked evenly. */
function resample(values: readonly number[], count: number): number[] {
  if (values.length >= count) return Array.from({ length: count }, (_, index) => values[Math.floor((index * values.length) / count)] ?? 0);
  return stretch(values, count);
}

function stretch(values: readonly number[], count: number): number[] {
  const spans = values.length - 1;
  return Array.from({ length: count }, (_, index) => {
    const place = count < 2 ? 0 : (index * spans) / (count - 1);
    const left = Math.min(Math.floor(place), spans);
    const from = values[left] ?? 0;
    const to = values[Math.min(left + 1, spans)] ?? from;
    return from + (to - from) * (place - left);
  });
}

/** Of a sample: n − 1. */
function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
