import { constants } from 'node:os';
import colors from 'picocolors';
import type { OverallHealth, StatusSnapshot, UnitStatus } from '../../control/payloads.ts';
import { bytes, span } from './quantity.ts';
import { table, type Column, type Paint } from './table.ts';
import { printable } from './width.ts';

export interface StatusLook {
  /** Null: as wide as it takes. */
  readonly width: number | null;
  readonly color: boolean;
}

/** The units by name, and in a last line how they are all in all. */
export function statusTable(snapshot: StatusSnapshot, look: StatusLook): string[] {
  const units = [...snapshot.units].sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
  const paints = palette(look.color);
  const columns = columnsFor(units, Date.parse(snapshot.captured_at), paints);
  return [...table(columns, units, look.width), '', summary(snapshot.overall_health, units, paints)];
}

/** One word for where a unit is. Units of a systemg 0.33.0 supervisor have no phase. */
export function stateOf(unit: UnitStatus): string {
  const atRest = unit.lifecycle === 'exited_successfully' ? 'completed' : unit.lifecycle === 'skipped' ? 'skipped' : null;
  if (unit.phase === 'running' && unit.ready === false) return 'unready';
  if (unit.phase !== undefined) return unit.phase === 'stopped' ? (atRest ?? 'stopped') : unit.phase;
  if (unit.process !== undefined) return unit.process.state;
  return atRest ?? (unit.lifecycle === 'exited_with_error' ? 'failed' : (unit.lifecycle ?? 'unknown'));
}

interface Palette {
  readonly title: Paint;
  readonly faint: Paint;
  state(word: string): Paint;
  health(word: string): Paint;
}

function columnsFor(units: readonly UnitStatus[], now: number, paints: Palette): Column<UnitStatus>[] {
  const measured = units.some(({ metrics }) => metrics !== undefined);
  const metrics: Column<UnitStatus>[] = [
    { title: 'CPU', align: 'right', spare: 2, cell: (unit) => ({ text: unit.metrics === undefined ? '-' : `${unit.metrics.latest_cpu_percent.toFixed(1)}%` }) },
    { title: 'RSS', align: 'right', spare: 1, cell: (unit) => ({ text: unit.metrics === undefined ? '-' : bytes(unit.metrics.latest_rss_bytes) }) },
  ];
  return [
    { title: 'UNIT', align: 'left', least: 12, cell: (unit) => ({ text: printable(unit.name), paint: paints.title }) },
    { title: 'STATE', align: 'left', cell: (unit) => ({ text: stateText(unit, now), paint: paints.state(stateOf(unit)) }) },
    { title: 'PID', align: 'right', spare: 3, cell: (unit) => ({ text: unit.process === undefined ? '-' : String(unit.process.pid) }) },
    { title: 'UPTIME', align: 'left', cell: (unit) => ({ text: unit.uptime === undefined ? '-' : span(unit.uptime.seconds) }) },
    { title: 'RESTARTS', align: 'right', spare: 4, cell: (unit) => ({ text: unit.restarts === undefined ? '-' : String(unit.restarts) }) },
    ...(measured ? metrics : []),
    { title: 'HEALTH', align: 'left', cell: (unit) => ({ text: unit.health, paint: paints.health(unit.health) }) },
    { title: 'LAST_EXIT', align: 'left', spare: 5, cell: (unit) => ({ text: lastExit(unit) }) },
    { title: 'COMMAND', align: 'left', least: 8, spare: 6, cell: (unit) => ({ text: printable(unit.command ?? unit.runtime_command ?? '-'), paint: paints.faint }) },
  ];
}

/** With how long a wait goes on. */
function stateText(unit: UnitStatus, now: number): string {
  const word = stateOf(unit);
  const left = unit.next_at === undefined ? Number.NaN : (Date.parse(unit.next_at) - now) / 1000;
  return (word === 'backoff' || word === 'waiting') && left > 0 ? `${word} ${span(Math.ceil(left))}` : word;
}

function lastExit({ last_exit: exit }: UnitStatus): string {
  if (exit?.exit_code !== undefined) return `exit ${exit.exit_code}`;
  if (exit?.signal === undefined) return '-';
  const name = Object.entries(constants.signals).find(([, number]) => number === exit.signal)?.[0];
  return name ?? `signal ${exit.signal}`;
}

function summary(health: OverallHealth, units: readonly UnitStatus[], paints: Palette): string {
  const counts = new Map<string, number>();
  for (const unit of units) counts.set(stateOf(unit), (counts.get(stateOf(unit)) ?? 0) + 1);
  const words = [...counts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([word, count]) => `${count} ${word}`);
  return `Overall health: ${paints.health(health)(health)} (${words.join(', ')})`;
}

function palette(enabled: boolean): Palette {
  const { bold, dim, green, red, yellow, gray } = colors.createColors(enabled);
  const states = new Map<string, Paint>([
    ['running', green], ['completed', green], ['failed', red], ['zombie', red], ['missing', red], ['backoff', yellow],
    ['starting', yellow], ['stopping', yellow], ['unready', yellow],
  ]);
  const healths = new Map<string, Paint>([['healthy', green], ['degraded', yellow], ['failing', red]]);
  return { title: bold, faint: dim, state: (word) => states.get(word) ?? gray, health: (word) => healths.get(word) ?? gray };
}
