import type { StatusSnapshot } from '../../wire/payloads.ts';
import { palette, type Palette } from '../print/palette.ts';
import { statusLines, statusSummary } from '../print/status.ts';
import { stateOf } from '../print/unit.ts';
import displayWidth, { fit } from '../print/width.ts';
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
}

/** One screen: header, as many units as fit with the selected one among them, summary, what is typed or the keys. */
export function statusView({ snapshot, model, columns, rows, color, fullCommands, top, message, problem, news }: ViewInput): StatusView {
  const paints = palette(color);
  const filter = model.mode === 'filter' ? model.typed : model.filter;
  const units = snapshot.units.filter((unit) => passes(unit, stateOf(unit), filter));
  const made = statusLines({ ...snapshot, units }, { width: color ? columns : columns - MARK.length, color, glyphs: true, fullCommands, unitsOnly: model.unitsOnly });
  const names = made.units.map(({ unit }) => unit.name);
  const selected = selectionOf(model, names);
  const height = Math.max(1, rows - 4);
  if (model.mode === 'help') return { lines: HELP.map((line) => fit(line, columns)), names, height, top };

  const flat = made.units.flatMap(({ unit, lines }) => lines.map((line, index) => ({ line, isSelected: unit.name === selected && index === 0 })));
  const at = flat.findIndex(({ isSelected }) => isSelected);
  const length = made.units.find(({ unit }) => unit.name === selected)?.lines.length ?? 1;
  const first = visibleFrom(top, at, Math.min(length, height), flat.length, height);
  const visible = flat.slice(first, first + height).map(({ line, isSelected }) => (color ? (isSelected ? inverted(line, columns) : line) : (isSelected ? MARK : BLANK) + line));
  const hidden = flat.length > visible.length ? `${first + 1}-${first + visible.length} of ${flat.length} lines` : '';
  return {
    lines: [
      (color ? '' : BLANK) + made.header, ...visible, ...Array.from({ length: height - visible.length }, () => ''),
      units.length === 0 ? `No unit matches '${filter}'.` : statusSummary(snapshot, paints) + paints.faint(filter === '' ? '' : `   filter: ${filter}`),
      said({ message, problem, hidden, news }, columns, paints), footer(model, columns, color),
    ],
    names, height, top: first,
  };
}

/** The line for messages: a problem alone, else the outcome of a command alone, else news. */
function said({ message, problem, hidden, news }: { readonly [part in 'message' | 'problem' | 'hidden' | 'news']: string }, columns: number, paints: Palette): string {
  if (problem !== '') return paints.health('degraded')(fit(problem, columns));
  if (message !== '') return fit(message, columns);
  return paints.faint(fit([hidden, news].filter((part) => part !== '').join('   '), columns));
}

function visibleFrom(top: number, at: number, length: number, total: number, height: number): number {
  const most = Math.max(0, total - height);
  if (at < 0) return Math.min(top, most);
  return Math.max(0, Math.min(most, at, Math.max(top, at + length - height)));
}

function inverted(line: string, columns: number): string {
  // eslint-disable-next-line no-control-regex
  const plain = line.replace(/\u001b\[[0-9;]*m/g, '');
  return palette(true).inverse(plain + ' '.repeat(Math.max(0, columns - displayWidth(plain))));
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
    default: return faint(fit(columns < 104 ? SHORT_KEYS : KEYS, columns));
  }
}

const KEYS = '↑↓ move  Enter inspect  l logs  r restart  s stop  S start  f filter  / search  t tree  ? help  q quit';
const SHORT_KEYS = '↑↓ Enter inspect  l logs  r restart  s stop  f filter  / search  ? help  q quit';

const HELP = [
  'Keys', '',
  '  ↑ ↓   j k   Tab Shift-Tab      move',
  '  PgUp PgDn   Ctrl-U Ctrl-D      move far',
  '  g G   Home End                 first, last',
  '  /   n N                        search, next, previous',
  '  f                              filter; Escape takes it away',
  '  t                              with or without processes', '',
  '  Enter   →   i                  inspect',
  '  l                              follow the logs',
  '  S                              start',
  '  r   s                          restart, stop; asks first', '',
  '  Ctrl-L                         draw again',
  '  q   Escape                     leave; the exit code is the health',
  '  Ctrl-C                         leave with exit code 130', '',
  'Health: 0 healthy, 1 degraded, 2 failing. What needs attention comes first.', '',
  'Any key goes back.',
];
