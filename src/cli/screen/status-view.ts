import type { StatusSnapshot } from '../../wire/payloads.ts';
import { palette, type Palette } from '../print/palette.ts';
import { statusLines, statusSummary } from '../print/status.ts';
import { stateOf } from '../print/unit.ts';
import displayWidth, { broken, fit, padded, plainText, printable } from '../../width.ts';
import { passes, selectionOf, type StatusModel } from './status-model.ts';

export interface StatusView {
  readonly lines: readonly string[];
  /** The units that are shown, in their order. */
  readonly names: readonly string[];
  /** How many lines there are for units. */
  readonly height: number;
  /** The first of them that is visible. */
  readonly top: number;
}

export interface ViewInput {
  readonly snapshot: StatusSnapshot;
  readonly model: StatusModel;
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  readonly fullCommands: boolean;
  /** Of the last drawing. */
  readonly top: number;
  /** What became of a command. */
  readonly message: string;
  /** Why the figures are old; empty: they are not. */
  readonly problem: string;
  /** What happened last. */
  readonly news: string;
  /** The log lines of the pane, as many as are asked for. */
  pane(unit: string | null, rows: number): readonly string[];
}

/** One screen: header, as many units as fit with the selected one among them, the pane, summary, messages, what is typed or the keys. */
export function statusView(input: ViewInput): StatusView {
  const { snapshot, model, columns, rows, color, fullCommands, top } = input;
  const paints = palette(color);
  const filter = model.mode === 'filter' ? model.typed : model.filter;
  const units = snapshot.units.filter((unit) => passes(unit, stateOf(unit), filter));
  const made = statusLines({ ...snapshot, units }, {
    width: color ? columns : columns - MARK.length, color, glyphs: true, fullCommands, oneLine: !fullCommands, unitsOnly: model.unitsOnly, order: model.order,
  });
  const names = made.units.map(({ unit }) => unit.name);
  const selected = selectionOf(model, names);
  const summary = summaryLines(snapshot, input, paints);
  const room = Math.max(1, rows - summary.length - 3);
  const pane = model.hasPane ? input.pane(selected, room < 6 ? 0 : Math.max(3, Math.floor(room * PANE_SHARE))) : [];
  const height = Math.max(1, room - pane.length);

  const flat = made.units.flatMap(({ unit, lines }) => lines.map((line, index) => ({ line, isSelected: unit.name === selected && index === 0 })));
  const at = flat.findIndex(({ isSelected }) => isSelected);
  const length = made.units.find(({ unit }) => unit.name === selected)?.lines.length ?? 1;
  const first = visibleFrom(top, at, Math.min(length, height), flat.length, height);
  const visible = flat.slice(first, first + height).map(({ line, isSelected }) => (color ? (isSelected ? inverted(line, columns) : line) : (isSelected ? MARK : BLANK) + line));
  const none = units.length > 0 ? [] : [filter === '' ? 'There are no units.' : `No unit matches '${filter}'.`];
  const facts = [
    flat.length > visible.length ? `${first + 1}-${first + visible.length} of ${flat.length} lines` : '',
    filter === '' ? '' : `filter '${filter}': ${units.length} of ${snapshot.units.length} units`,
  ].filter((fact) => fact !== '').join('   ');
  const shown = [...visible, ...none].slice(0, height);
  return {
    lines: [
      (color ? '' : BLANK) + made.header, ...shown, ...Array.from({ length: height - shown.length }, () => ''), ...pane,
      ...summary, said({ ...input, facts }, paints), footer(model, columns, color),
    ],
    names, height, top: first,
  };
}

/** What the units are in all, whatever the filter leaves of them; on more lines where it is longer than one, and there are some to spare. */
function summaryLines(snapshot: StatusSnapshot, { columns, rows }: ViewInput, paints: Palette): readonly string[] {
  const whole = statusSummary(snapshot, paints);
  // The units and the keys need the other lines.
  if (rows < LOW) return [fit(plainText(whole), columns)];
  const [first, ...others] = snapshot.unwritten ?? [];
  const behind = first === undefined ? [] : [`${others.length === 0 ? '' : `${others.length + 1} files cannot be written, see sysg doctor; `}${printable(first)}`];
  return [...(displayWidth(whole) <= columns ? [whole] : broken(plainText(whole), columns)), ...behind.map((text) => paints.health('degraded')(fit(text, columns)))];
}

const LOW = 8;

const PANE_SHARE = 0.4;

/** The line for messages: a problem alone, else the outcome of a command alone, else what is shown, and news. */
function said({ message, problem, facts, news, columns }: ViewInput & { readonly facts: string }, paints: Palette): string {
  if (problem !== '') return paints.health('degraded')(fit(problem, columns));
  if (message !== '') return fit(message, columns);
  return paints.faint(fit([facts, news].filter((part) => part !== '').join('   '), columns));
}

function visibleFrom(top: number, at: number, length: number, total: number, height: number): number {
  const most = Math.max(0, total - height);
  if (at < 0) return Math.min(top, most);
  return Math.max(0, Math.min(most, at, Math.max(top, at + length - height)));
}

function inverted(line: string, columns: number): string {
  return palette(true).inverse(padded(plainText(line), columns));
}

// Without colours nothing can be inverted.
const MARK = '> ';
const BLANK = '  ';

function footer(model: StatusModel, columns: number, color: boolean): string {
  const { faint, title } = palette(color);
  switch (model.mode) {
    case 'filter': return title(fit(`filter: ${model.typed}▏`, columns));
    case 'search': return title(fit(`/${model.typed}▏`, columns));
    case 'confirm': return title(fit(`${model.pending?.verb ?? ''} ${model.pending?.unit ?? ''}? y / n`, columns));
    default: return faint(fit(KEYS.find((keys) => displayWidth(keys) <= columns) ?? FEWEST_KEYS, columns));
  }
}

const FEWEST_KEYS = '? help  q quit';
/** The first that fits is shown. */
const KEYS = [
  '↑↓ move  Enter inspect  l logs  L all logs  p pane  r restart  s stop  S start  o order  f filter  / search  ? help  q quit',
  '↑↓ Enter inspect  l logs  p pane  r restart  s stop  o order  f filter  ? help',
  '↑↓ Enter inspect  l logs  ? help  q quit',
];
