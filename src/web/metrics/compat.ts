import { stateOf } from '../../cli/print/unit.ts';
import type { UnitStatus } from '../../wire/payloads.ts';
import type { Family, Sample } from './exposition.ts';
import { inSeconds, processesOf, seconds, type Measured } from './families.ts';
import type { Tally } from './tally.ts';

/** Names of other exporters under which the same is offered. */
export const compatNames = ['supervisord', 'process-exporter'] as const;
export type CompatName = (typeof compatNames)[number];

export function parseCompat(text: string): readonly CompatName[] | null {
  const words = text.split(',').map((word) => word.trim());
  const found = compatNames.filter((name) => words.includes(name));
  return found.length === new Set(words).size ? found : null;
}

export function compatFamilies({ snapshot, tally }: Pick<Measured, 'snapshot' | 'tally'>, names: readonly CompatName[]): readonly Family[] {
  const units = (snapshot?.units ?? []).filter(({ kind }) => kind !== 'orphaned');
  return [
    ...(names.includes('supervisord') ? supervisord(units, snapshot !== null) : []),
    ...(names.includes('process-exporter') ? processExporter(units, tally) : []),
  ];
}

/** The numbers of supervisord's states: supervisord.org/subprocess.html. */
const SUPERVISORD_STATES: Readonly<Record<string, number>> = {
  stopped: 0, suspended: 0, skipped: 0, waiting: 0, starting: 10, running: 20, unready: 20, halted: 20, backoff: 30, stopping: 40, completed: 100, failed: 200,
};

/** As the collector `supervisord` of node_exporter names them. */
function supervisord(units: readonly UnitStatus[], isUp: boolean): readonly Family[] {
  const gauge = (name: string, help: string, value: (unit: UnitStatus) => number | null, among = units): Family => ({
    name: `node_supervisord_${name}`, type: 'gauge', help,
    samples: among.flatMap((unit) => {
      const found = value(unit);
      return found === null ? [] : [{ labels: { group: unit.name, name: unit.name }, value: found }];
    }),
  });
  return [
    gauge('up', 'Whether the process runs.', ({ process }) => Number(process?.state === 'running'), isUp ? units : []),
    gauge('state', 'The state in the numbers of supervisord.', (unit) => SUPERVISORD_STATES[stateOf(unit)] ?? 1000),
    gauge('exit_status', 'The exit code with which the process ended last.', ({ last_exit: exit }) => exit?.exit_code ?? (exit?.signal === undefined ? 0 : 128 + exit.signal)),
    gauge('start_time_seconds', inSeconds('When the process began'), ({ uptime }) => seconds(uptime?.started_at)),
  ];
}

/** As process-exporter names them, a group for each unit. */
function processExporter(units: readonly UnitStatus[], tally: Tally): readonly Family[] {
  const running = units.filter(({ process }) => process !== undefined);
  const named = (name: string, type: Family['type'], help: string, samples: readonly Sample[]): Family => ({ name: `namedprocess_namegroup_${name}`, type, help, samples });
  return [
    named('num_procs', 'gauge', 'Living processes of the unit.', units.map((unit) => ({ labels: { groupname: unit.name }, value: processesOf(unit) }))),
    named('cpu_seconds', 'counter', 'CPU time of the processes of the unit, by mode.', running.flatMap((unit) => {
      const times = tally.cpu.get(unit.name);
      return times === undefined ? [] : (['user', 'system'] as const).map((mode) => ({ labels: { groupname: unit.name, mode }, value: times[mode] }));
    })),
    named('memory_bytes', 'gauge', 'Resident memory of all processes of the unit.', running.flatMap(({ name, metrics }) => (
      metrics === undefined ? [] : [{ labels: { groupname: name, memtype: 'resident' }, value: metrics.latest_rss_bytes }]))),
    named('oldest_start_time_seconds', 'gauge', inSeconds('When the oldest process of the unit began'), running.flatMap(({ name, uptime }) => (
      uptime?.started_at === undefined ? [] : [{ labels: { groupname: name }, value: Date.parse(uptime.started_at) / 1000 }]))),
  ];
}
