import type { MetricSample } from '../../wire/payloads.ts';
import { clockTime } from '../../words.ts';
import type { Paint } from './palette.ts';
import displayWidth, { padded } from '../../width.ts';

export interface ChartLook {
  /** Columns for the charts; two go side by side when they fit. */
  readonly columns: number;
  /** Seconds. */
  readonly window: number;
  readonly cpu: Paint;
  readonly memory: Paint;
}

/** CPU and memory over time, systemg 0.33.0's charts. */
export function charts(samples: readonly MetricSample[], look: ChartLook): string[] {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return ['No metrics available for the specified window'];
  const width = look.columns <= 84 ? 24 : Math.min(40, Math.max(24, Math.floor((look.columns - 36) / 2)));
  const cpu = samples.map(({ cpu_percent }) => cpu_percent);
  const memory = samples.map(({ rss_bytes }) => rss_bytes / GIB);
  const cards = [
    ['CPU Usage', 'Legend: CPU (%)', 'Y-axis: CPU (%)', '', ...plot(cpu, width).rows.map(({ text }) => look.cpu(text))],
    [
      'Memory Usage (Dual Y-axis)', 'Legend: RSS (GB); right axis shows normalized percent', 'Y-axis Left: RSS (GB) | Right: RSS (%)', '',
      ...withPercent(plot(memory, width)).map(look.memory),
    ],
  ];
  const axis = `X-axis: Time (${clockTime(first.timestamp)} -> ${clockTime(last.timestamp)}) | Window: last ${look.window}s`;
  const rows = sideBySide(cards, look.columns);
  return [
    '', ...rows.flatMap((row, index) => [...(index === 0 ? [] : ['']), ...row, '', axis]), '',
    'Summary Statistics:',
    `  CPU:     ${statistics(cpu, (value) => `${value.toFixed(1)}%`)}`,
    `  Memory:  ${statistics(memory, (value) => `${value.toFixed(4)}GB`)}`,
    `  Samples: ${samples.length}`,
  ];
}

/** Samples of the last `windowMs`, the newest `limit` of them. */
export function inWindow(samples: readonly MetricSample[], windowMs: number, limit: number, nowMs: number): MetricSample[] {
  return samples.filter(({ timestamp }) => Date.parse(timestamp) >= nowMs - windowMs).slice(-limit);
}

const GIB = 1024 ** 3;
const GAP = '    ';

function withPercent({ rows }: ReturnType<typeof plot>): string[] {
  const most = Math.max(...rows.map(({ value }) => value));
  return rows.map(({ value, text }) => {
    const share = most <= 0 ? 0 : Math.min(100, Math.max(0, (value / most) * 100));
    return `${text}  ${share.toFixed(2).padStart(7)}(%)`;
  });
}

function sideBySide(cards: readonly (readonly string[])[], columns: number): string[][] {
  const widths = cards.map((lines) => Math.max(...lines.map(displayWidth)));
  const together = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (cards.length - 1);
  if (together > columns) return cards.map((lines) => lines.map((line) => line.trimEnd()));
  const height = Math.max(...cards.map((lines) => lines.length));
  const rows = Array.from({ length: height }, (_, row) => cards.map((lines, index) => padded(lines[row] ?? '', widths[index] ?? 0)).join(GAP).trimEnd());
  return [rows];
}

function statistics(values: readonly number[], format: (value: number) => string): string {
  return `min=${format(Math.min(...values))} avg=${format(mean(values))} max=${format(Math.max(...values))}`;
}

const HEIGHT = 10;

/**
 * systemg 0.33.0's plot of one series in `width` cells: what lies between two values is drawn as a line that rises and falls, the labels stand
 * left of the axis; `value` is the label of a line. `values` is not empty.
 */
export function plot(values: readonly number[], width: number): { readonly rows: readonly { readonly value: number; readonly text: string }[] } {
  // Fewer are interpolated, more are picked evenly.
  const picked = values.length < POINTS ? stretch(values, POINTS) : Array.from({ length: POINTS }, (_, index) => values[Math.floor((index * values.length) / POINTS)] ?? 0);
  const points = stretch(picked, width);
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
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
