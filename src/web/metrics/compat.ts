import { stateOf } from '../../cli/print/unit.ts';
import type { UnitStatus } from '../../wire/payloads.ts';
import type { Family, Sample } from './exposition.ts';
import { seconds, type Measured } from './families.ts';
import { pidsIn } from './process-times.ts';
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
  stopped: 0, suspended: 0, skipped: 0, waiting: 0, starting: 10, running: 20, unready: 20, backoff: 30, stopping: 40, completed: 100, failed: 200,
};

/** As the collector `supervisord` of node_exporter names them. */
function supervisord(units: readonly UnitStatus[], isUp: boolean): readonly Family[] {
  const each = (value: (unit: UnitStatus) => number | null): readonly Sample[] => units.flatMap((unit) => {
    const found = value(unit);
    return found === null ? [] : [{ labels: { group: unit.name, name: unit.name }, value: found }];
  });
  return [
    {
      name: 'node_supervisord_up',
      type: 'gauge',
      help: 'Whether the process runs.',
      samples: isUp ? each(({ process }) => (process?.state === 'running' ? 1 : 0)) : [],
    },
    {
      name: 'node_supervisord_state',
      type: 'gauge',
      help: 'The state in the numbers of supervisord.',
      samples: each((unit) => SUPERVISORD_STATES[stateOf(unit)] ?? 1000),
    },
    {
      name: 'node_supervisord_exit_status',
      type: 'gauge',
      help: 'The exit code with which the process ended last.',
      samples: each(({ last_exit: exit }) => exit?.exit_code ?? (exit?.signal === undefined ? 0 : 128 + exit.signal)),
    },
    {
      name: 'node_supervisord_start_time_seconds',
      type: 'gauge',
      help: 'When the process began, in seconds since 1970.',
      samples: each(({ uptime }) => seconds(uptime?.started_at)),
    },
  ];
}

/** As process-exporter names them, a group for each unit. */
function processExporter(units: readonly UnitStatus[], tally: Tally): readonly Family[] {
  const running = units.filter(({ process }) => process !== undefined);
  return [
    {
      name: 'namedprocess_namegroup_num_procs',
      type: 'gauge',
      help: 'Living processes of the unit.',
      samples: units.map(({ name, process, spawned_children: nodes }) => ({
        labels: { groupname: name },
        value: process === undefined ? 0 : 1 + pidsIn(nodes).length,
      })),
    },
    {
      name: 'namedprocess_namegroup_cpu_seconds', type: 'counter', help: 'CPU time of the processes of the unit, by mode.',
      samples: running.flatMap((unit) => {
        const times = tally.cpu.get(unit.name);
        return times === undefined ? [] : (['user', 'system'] as const).map((mode) => ({ labels: { groupname: unit.name, mode }, value: times[mode] }));
      }),
    },
    {
      name: 'namedprocess_namegroup_memory_bytes',
      type: 'gauge',
      help: 'Resident memory of all processes of the unit.',
      samples: running.flatMap(({ name, metrics }) =>
        metrics === undefined ? [] : [{ labels: { groupname: name, memtype: 'resident' }, value: metrics.latest_rss_bytes }],
      ),
    },
    {
      name: 'namedprocess_namegroup_oldest_start_time_seconds',
      type: 'gauge',
      help: 'When the oldest process of the unit began, in seconds since 1970.',
      samples: running.flatMap(({ name, uptime }) =>
        uptime?.started_at === undefined ? [] : [{ labels: { groupname: name }, value: Date.parse(uptime.started_at) / 1000 }],
      ),
    },
  ];
}
