import { latest, stateOf } from '../../cli/print/unit.ts';
import { newestRun } from '../../cli/print/newest-run.ts';
import type { CronExecutionSummary, StatusSnapshot, UnitStatus } from '../../wire/payloads.ts';
import type { Family, Sample } from './exposition.ts';
import { costOf, pidsIn, type CpuTimes } from './process-times.ts';
import type { Tally } from './tally.ts';

/** What is measured. `snapshot` null: no supervisor answers. */
export interface Measured {
  readonly snapshot: StatusSnapshot | null;
  readonly supervisorPid: number | null;
  readonly tally: Tally;
  readonly version: string;
}

/** The words of `status` for the state of a unit: no label has any other. */
const STATES = ['stopped', 'starting', 'running', 'unready', 'halted', 'stopping', 'backoff', 'failed', 'completed', 'skipped', 'waiting', 'suspended'] as const;
const HEALTHS = ['healthy', 'degraded', 'failing'] as const;

type Value = number | null | undefined;

export function families({ snapshot, supervisorPid, tally, version }: Measured): readonly Family[] {
  const units = (snapshot?.units ?? []).filter(({ kind }) => kind !== 'orphaned');
  const cron = units.filter(({ kind }) => kind === 'cron');
  const supervisor = snapshot === null || supervisorPid === null ? null : costOf(supervisorPid);
  const ofUnits = (type: Family['type']) => (name: string, help: string, value: (unit: UnitStatus) => Value, among = units): Family => (
    { name, type, help, samples: among.flatMap((unit) => sample({ unit: unit.name }, value(unit))) });
  const [gauge, counter] = [ofUnits('gauge'), ofUnits('counter')];
  const moment = (name: string, help: string, time: (unit: UnitStatus) => string | undefined, among = units): Family => (
    gauge(name, inSeconds(help), (unit) => seconds(time(unit)), among));
  const states = (name: string, help: string, label: string, words: readonly string[], word: (unit: UnitStatus) => string): Family => ({
    name, type: 'gauge', help,
    samples: units.flatMap((unit) => words.map((each) => ({ labels: { unit: unit.name, [label]: each }, value: word(unit) === each ? 1 : 0 }))),
  });
  const single = (name: string, type: Family['type'], help: string, value: Value, labels = {}): Family => ({ name, type, help, samples: sample(labels, value) });
  return [
    single('sysg_up', 'gauge', 'Whether the supervisor answers.', snapshot === null ? 0 : 1),
    single('sysg_build', 'info', 'The version of what answers.', 1, { version }),
    states('sysg_unit_state', 'The state of a unit: 1 for the one that it is in.', 'state', STATES, (unit) => ALIASES.get(stateOf(unit)) ?? stateOf(unit)),
    states('sysg_unit_health', 'The health of a unit: 1 for the one that it has.', 'health', HEALTHS, ({ health }) => health),
    gauge('sysg_unit_wanted_up', 'Whether the unit was asked to be up.', ({ wanted }) => (wanted === undefined ? null : Number(wanted === 'up'))),
    gauge('sysg_unit_ready', 'Whether the check of the unit passes; absent without a check.', ({ ready }) => (ready === undefined ? null : Number(ready))),
    counter('sysg_unit_restarts', 'Automatic restarts since the last start by a person.', ({ restarts }) => restarts),
    counter('sysg_unit_starts', 'Processes that the unit has had under this supervisor and those it took over from.', ({ generation }) => generation),
    moment('sysg_unit_start_time_seconds', 'When the process of the unit began', ({ uptime }) => uptime?.started_at),
    moment('sysg_unit_state_since_timestamp_seconds', 'When the unit came into its present phase', ({ since }) => since),
    counter('sysg_unit_cpu_seconds', 'CPU time of the processes of the unit, of those that have ended too.', ({ name }) => sum(tally.cpu.get(name))),
    gauge('sysg_unit_resident_memory_bytes', 'Resident memory of all processes of the unit.', (unit) => latest(unit)?.latest_rss_bytes),
    gauge('sysg_unit_processes', 'Living processes of the unit.', processesOf),
    gauge('sysg_unit_last_exit_code', 'The exit code with which the unit ended last; absent while it runs and after a signal.', ({ last_exit: exit }) => exit?.exit_code),
    gauge('sysg_unit_last_exit_signal', 'The number of the signal by which the unit was ended last.', ({ last_exit: exit }) => exit?.signal),
    gauge('sysg_unit_rollout_in_progress', 'Whether a candidate is replacing the unit.', ({ rollout }) => Number(rollout !== undefined)),
    {
      name: 'sysg_unit_rollouts', type: 'counter', help: 'Replacements that have ended, by their result.',
      samples: [...tally.rollouts].flatMap(([unit, results]) => [...results].map(([result, value]) => ({ labels: { unit, result }, value }))),
    },
    moment('sysg_cron_last_run_timestamp_seconds', 'When the newest run began', (unit) => newestRun(unit.cron)?.started_at, cron),
    moment('sysg_cron_last_success_timestamp_seconds', 'When the newest run that succeeded ended', lastSuccess, cron),
    gauge('sysg_cron_last_run_success', 'Whether the newest run that has ended succeeded.', lastResult, cron),
    gauge('sysg_cron_duration_seconds', 'How long the newest run that has ended took.', duration, cron),
    moment('sysg_cron_next_run_timestamp_seconds', 'When the next run is due', ({ next_at: next }) => next, cron),
    counter('sysg_cron_missed', 'Runs that were left out because the run before them went on.', (unit) => unit.cron?.missed ?? tally.missed.get(unit.name) ?? 0, cron),
    single('sysg_supervisor_cpu_seconds', 'counter', 'CPU time of the supervisor itself.', supervisor?.cpuSeconds),
    single('sysg_supervisor_resident_memory_bytes', 'gauge', 'Resident memory of the supervisor itself.', supervisor?.residentBytes),
    single('sysg_supervisor_open_fds', 'gauge', 'Open descriptors of the supervisor itself.', supervisor?.openFds),
    single('sysg_supervisor_journal_records', 'counter', 'The number of the newest record of the journal.', snapshot === null ? null : tally.last?.seq ?? 0),
  ];
}

/** A process that the kernel shows as dead, while its unit has not been seen to end yet. */
const ALIASES = new Map([['zombie', 'failed'], ['missing', 'failed']]);

function sample(labels: Sample['labels'], value: Value): readonly Sample[] {
  return value === null || value === undefined || Number.isNaN(value) ? [] : [{ labels, value }];
}

export function seconds(time: string | undefined): number | null {
  return time === undefined ? null : Date.parse(time) / 1000;
}

export function inSeconds(help: string): string {
  return `${help}, in seconds since 1970.`;
}

/** Of all processes of the unit, those of its children among them. */
export function processesOf({ process, spawned_children: nodes }: UnitStatus): number {
  return process === undefined ? 0 : 1 + pidsIn(nodes).length;
}

function sum(times: CpuTimes | undefined): number | null {
  return times === undefined ? null : Math.round((times.user + times.system) * 1000) / 1000;
}

function ended({ cron }: UnitStatus): CronExecutionSummary | undefined {
  return cron?.recent_runs?.find(({ status }) => status !== undefined && status !== 'OverlapError');
}

function lastSuccess({ cron }: UnitStatus): string | undefined {
  const run = cron?.recent_runs?.find(({ status }) => status === 'Success');
  return run?.completed_at ?? run?.started_at;
}

function lastResult(unit: UnitStatus): Value {
  const run = ended(unit);
  return run && Number(run.status === 'Success');
}

function duration(unit: UnitStatus): Value {
  const run = ended(unit);
  const [from, to] = [seconds(run?.started_at), seconds(run?.completed_at)];
  return from === null || to === null ? null : to - from;
}
