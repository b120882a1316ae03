import type { SpawnedChild, StatusSnapshot, UnitStatus } from '../../wire/payloads.ts';
import { exitText } from '../../signals.ts';
import { bytes, naturally, span, spanSince } from '../../words.ts';
import { palette, type Look, type Palette } from './palette.ts';
import { tableRows, type Column } from './table.ts';
import { attentionOf, branches, glyphOf, latest, programName, stateOf, stateText } from './unit.ts';
import { fit, printable } from '../../width.ts';

export interface StatusLook extends Look {
  /** Commands in full, below their rows when they do not fit. */
  readonly fullCommands?: boolean;
  /** Without the processes that units have started. */
  readonly unitsOnly?: boolean;
  /** One line for each row: what does not fit is left out, not shown below. */
  readonly oneLine?: boolean;
  /** Absent: those that need attention first. */
  readonly order?: Order;
}

/** A unit with the lines that show it: its own row, then its processes. */
export interface ShownUnit { readonly unit: UnitStatus; readonly lines: readonly string[] }

export interface StatusLines { readonly header: string; readonly units: readonly ShownUnit[]; readonly summary: string }

/** The units, and a summary in the last line. */
export function statusTable(snapshot: StatusSnapshot, look: StatusLook): string[] {
  const { header, units, summary } = statusLines(snapshot, look);
  return [header, ...units.flatMap(({ lines }) => lines), '', summary];
}

/** What the disk does not take, where there is any such thing. */
export function unwrittenLines({ unwritten = [] }: StatusSnapshot): readonly string[] {
  return unwritten.length === 0 ? [] : ['', 'The supervisor goes on, and cannot write all of its files:', ...unwritten.map((text) => `  ${printable(text)}`)];
}

export function statusLines(snapshot: StatusSnapshot, look: StatusLook): StatusLines {
  const units = ordered(snapshot.units, look.order ?? firstOrder);
  const paints = palette(look.color);
  const rows = units.flatMap((unit): Row[] => [
    { unit, child: null, prefix: '' }, ...(look.unitsOnly === true ? [] : branches(unit.spawned_children).map((branch) => ({ unit, ...branch }))),
  ]);
  const columns = columnsFor(units, Date.parse(snapshot.captured_at), paints, look);
  const made = tableRows(columns, rows, look.width, look.oneLine === true ? {} : { below: paints.faint, wraps: look.fullCommands === true });
  const shown = new Map(units.map((unit) => [unit, [] as string[]]));
  rows.forEach(({ unit }, index) => shown.get(unit)?.push(...(made.rows[index] ?? [])));
  // A clean end with a reason is one that nobody would suspect.
  for (const unit of look.oneLine === true ? [] : units) if (unit.reason !== undefined && unit.last_exit?.exit_code === 0) shown.get(unit)?.push(paints.faint(`  ${printable(unit.reason)}`));
  return {
    header: paints.faint(made.header), units: units.map((unit) => ({ unit, lines: shown.get(unit) ?? [] })),
    summary: statusSummary(snapshot, paints),
  };
}

interface Row {
  readonly unit: UnitStatus;
  readonly child: SpawnedChild | null;
  /** Of the tree. */
  readonly prefix: string;
}

function columnsFor(units: readonly UnitStatus[], nowMs: number, paints: Palette, look: StatusLook): Column<Row>[] {
  const measured = units.some(({ metrics }) => metrics !== undefined);
  const special = units.some(({ kind, spawned_children: nodes = [] }) => kind !== 'service' || nodes.some(({ child }) => child.kind !== 'peripheral'));
  const users = new Set(units.flatMap(({ process }) => process?.user ?? []));
  const mark = (state: string, text: string): string => (look.glyphs === true ? `${glyphOf(state)} ${text}` : text);
  // Without a terminal no width cuts it: one with a script in it would be a line of many hundred columns.
  const command = (text: string): string => (look.width === null && look.fullCommands !== true ? fit(text, COMMAND_COLUMNS) : text);
  const kind: Column<Row> = { title: 'KIND', align: 'left', spare: 7, below: (text) => (text === 'cron' || text === 'orph' ? text : null), cell: ({ unit, child }) => ({ text: child === null ? KINDS[unit.kind] : child.kind === 'peripheral' ? 'peri' : 'spwn' }) };
  const user: Column<Row> = { title: 'USER', align: 'left', spare: 8, cell: ({ unit, child }) => ({ text: printable((child === null ? unit.process?.user : child.user) ?? '') || '-' }) };
  const metrics: Column<Row>[] = [
    { title: 'CPU', align: 'right', spare: 2, cell: ({ unit, child }) => ({ text: percent(child === null ? latest(unit)?.latest_cpu_percent : child.cpu_percent) }) },
    { title: 'RSS', align: 'right', spare: 1, cell: ({ unit, child }) => ({ text: size(child === null ? latest(unit)?.latest_rss_bytes : child.rss_bytes) }) },
  ];
  const columns: Column<Row>[] = [
    { title: 'UNIT', align: 'left', least: 24, cell: ({ unit, child, prefix }) => (child === null ? { text: `${printable(unit.name)}${unit.ad_hoc === true ? ' (ad-hoc)' : ''}`, paint: paints.title } : { text: prefix + programName(child.name), paint: paints.faint }) },
    ...(special ? [kind] : []),
    {
      title: 'STATE', align: 'left', cell: ({ unit, child }) => {
        const state = child === null ? stateOf(unit) : child.last_exit === undefined ? 'running' : 'exited';
        return { text: child === null ? mark(state, stateText(unit, nowMs)) : mark(state, state), paint: child === null ? paints.state(state) : paints.faint };
      },
    },
    { title: 'PID', align: 'right', spare: 3, cell: ({ unit, child }) => ({ text: String(child?.pid ?? unit.process?.pid ?? '-') }) },
    ...(users.size > 1 ? [user] : []),
    { title: 'UPTIME', align: 'left', spare: 4, cell: ({ unit, child }) => ({ text: child === null ? (unit.uptime === undefined ? '-' : span(unit.uptime.seconds)) : spanSince(child.started_at, nowMs) }) },
    { title: 'RESTARTS', align: 'right', spare: 5, below: (text) => (text === '0' ? null : `${text} restarts`), cell: ({ unit, child }) => ({ text: child !== null || unit.restarts === undefined ? '-' : String(unit.restarts) }) },
    ...(measured ? metrics : []),
    { title: 'HEALTH', align: 'left', cell: ({ unit, child }) => (child === null ? { text: unit.health, paint: paints.health(unit.health) } : { text: '' }) },
    { title: 'LAST_EXIT', align: 'left', spare: 6, below: (text) => `last ${text}`, cell: ({ unit, child }) => ({ text: exitText(child === null ? unit.last_exit : child.last_exit) }) },
    {
      title: 'COMMAND', align: 'left', ...(look.fullCommands !== true && { least: 16 }), spare: 9, below: String,
      cell: ({ unit, child }) => ({ text: command(printable(child === null ? (unit.command ?? unit.runtime_command ?? '-') : child.command)), paint: paints.faint }),
    },
  ];
  if (look.order === undefined) return columns;
  const { by, isReversed } = look.order;
  // Up: the least is first.
  const direction = FALLING.includes(by) === isReversed ? '▲' : '▼';
  return columns.map((column) => (column.title === COLUMN_OF[by] ? { ...column, title: column.title + direction } : column));
}

/** Attention has no column and no direction that could be read off it. */
const COLUMN_OF: Readonly<Record<Ordering, string | null>> = {
  attention: null, name: 'UNIT', state: 'STATE', cpu: 'CPU', rss: 'RSS', uptime: 'UPTIME', restarts: 'RESTARTS', pid: 'PID',
};

/** Of a command in a pipe or a file. */
const COMMAND_COLUMNS = 120;

const KINDS: Readonly<Record<UnitStatus['kind'], string>> = { service: 'srvc', cron: 'cron', orphaned: 'orph' };

function percent(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(1)}%`;
}

function size(value: number | undefined): string {
  return value === undefined ? '-' : bytes(value);
}

/** The overall health, and how many units are in each state. */
export function statusSummary({ overall_health: health, units }: StatusSnapshot, paints: Palette): string {
  const counts = new Map<string, number>();
  for (const unit of units) counts.set(stateOf(unit), (counts.get(stateOf(unit)) ?? 0) + 1);
  const words = [...counts].sort(([one], [other]) => attentionOf(one) - attentionOf(other) || (one < other ? -1 : 1)).map(([word, count]) => `${count} ${word}`);
  return `Overall health: ${paints.health(health)(health)} (${words.join(', ')})`;
}

/** By what units are put in order. Where two are alike, their names decide. */
export const orderings = ['attention', 'name', 'state', 'cpu', 'rss', 'uptime', 'restarts', 'pid'] as const;
export type Ordering = (typeof orderings)[number];

export interface Order { readonly by: Ordering; readonly isReversed: boolean }

/** Those that need attention first. */
export const firstOrder: Order = { by: 'attention', isReversed: false };

export function ordered(units: readonly UnitStatus[], { by, isReversed }: Order): UnitStatus[] {
  const named = naturally(units, ({ name }) => name);
  if (by === 'name') return isReversed ? named.reverse() : named;
  const compare = COMPARISONS[by];
  return named.sort((one, other) => (isReversed ? -1 : 1) * compare(one, other));
}

type Comparison = (one: UnitStatus, other: UnitStatus) => number;

function falling(figure: (unit: UnitStatus) => number | undefined): Comparison {
  return (one, other) => (figure(other) ?? -1) - (figure(one) ?? -1);
}

const COMPARISONS: Readonly<Record<Exclude<Ordering, 'name'>, Comparison>> = {
  attention: (one, other) => urgency(one) - urgency(other),
  state: (one, other) => (stateOf(one) < stateOf(other) ? -1 : Number(stateOf(one) > stateOf(other))),
  cpu: falling((unit) => latest(unit)?.latest_cpu_percent),
  rss: falling((unit) => latest(unit)?.latest_rss_bytes),
  uptime: falling(({ uptime }) => uptime?.seconds),
  restarts: falling(({ restarts }) => restarts),
  pid: (one, other) => (one.process?.pid ?? Infinity) - (other.process?.pid ?? Infinity) || 0,
};

/** Those of which the most comes first. */
const FALLING: readonly Ordering[] = ['cpu', 'rss', 'uptime', 'restarts'];

function urgency({ health }: UnitStatus): number {
  return health === 'failing' ? 0 : health === 'degraded' ? 1 : 2;
}
