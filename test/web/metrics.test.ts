import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { compatFamilies, parseCompat } from '../../src/web/metrics/compat.ts';
import { expose, formatFor } from '../../src/web/metrics/exposition.ts';
import { families } from '../../src/web/metrics/families.ts';
import { openTally } from '../../src/web/metrics/tally.ts';
import type { CronExecutionSummary, UnitStatus } from '../../src/wire/payloads.ts';
import { answering, makeCall, makeWeb, snapshot, unit } from './rig.ts';

const run = (minute: number, status: CronExecutionSummary['status'], seconds = 5): CronExecutionSummary => ({
  started_at: `2026-01-01T00:0${minute}:00Z`, completed_at: `2026-01-01T00:0${minute}:0${seconds}Z`, ...(status !== undefined && { status }),
});
const units: readonly UnitStatus[] = [
  unit('web', {
    process: { pid: process.pid, state: 'running', user: 'root' }, uptime: { seconds: 1, human: '1 secs ago', started_at: '2026-01-01T00:00:00.500Z' }, restarts: 3, ready: true,
    metrics: { latest_cpu_percent: 1, average_cpu_percent: 1, max_cpu_percent: 1, latest_rss_bytes: 4096, samples: 1 },
  }),
  unit('odd "name"\\\n', { phase: 'failed', health: 'failing', last_exit: { exit_code: 3 } }),
  unit('killed', { phase: 'backoff', health: 'failing', last_exit: { signal: 9 } }),
  unit('tick', { kind: 'cron', phase: 'waiting', next_at: '2026-01-01T00:10:00Z', cron: { timezone_label: 'UTC', recent_runs: [run(4, 'OverlapError', 0), run(3, { Failed: 'exit 1' }), run(2, 'Success', 7), run(1, 'OverlapError', 0)] } }),
  unit('[orphaned] 0123', { kind: 'orphaned' }),
];

function written(format: 'prometheus' | 'openmetrics' = 'prometheus', all = units): string {
  const tally = openTally();
  tally.take([
    { seq: 1, at: '2026-01-01T00:00:00Z', unit: 'web', event: 'rollout', detail: { step: 'done', result: 'replaced' } }, { seq: 2, at: '2026-01-01T00:00:00Z', unit: 'web', event: 'rollout', detail: { step: 'checking' } },
  ], snapshot(all));
  const taken = snapshot(all);
  return expose([...families({ snapshot: taken, supervisorPid: process.pid, tally, version: '1.2.3' }), ...compatFamilies({ snapshot: taken, tally }, ['supervisord', 'process-exporter'])], format);
}

test('each fact of a unit is a sample in base units', () => {
  const lines = written().split('\n');
  for (const line of [
    'sysg_up 1', 'sysg_unit_state{unit="web",state="running"} 1', 'sysg_unit_state{unit="web",state="failed"} 0', 'sysg_unit_health{unit="killed",health="failing"} 1',
    'sysg_unit_restarts_total{unit="web"} 3', 'sysg_unit_ready{unit="web"} 1', 'sysg_unit_start_time_seconds{unit="web"} 1767225600.5', 'sysg_unit_resident_memory_bytes{unit="web"} 4096',
    'sysg_unit_last_exit_signal{unit="killed"} 9', 'sysg_unit_rollouts_total{unit="web",result="replaced"} 1', 'sysg_cron_last_success_timestamp_seconds{unit="tick"} 1767225727',
    'sysg_cron_duration_seconds{unit="tick"} 5', 'sysg_cron_last_run_success{unit="tick"} 0', 'sysg_cron_last_run_timestamp_seconds{unit="tick"} 1767225780', 'sysg_cron_missed_total{unit="tick"} 2', 'sysg_cron_next_run_timestamp_seconds{unit="tick"} 1767226200',
    'node_supervisord_state{group="killed",name="killed"} 30', 'node_supervisord_exit_status{group="killed",name="killed"} 137', 'namedprocess_namegroup_memory_bytes{groupname="web",memtype="resident"} 4096',
  ]) expect(lines).toContain(line);
  expect(lines.find((line) => line.startsWith('sysg_unit_cpu_seconds_total{unit="web"}'))).toMatch(/ [0-9.]+$/);
  expect(lines.find((line) => line.startsWith('sysg_supervisor_resident_memory_bytes'))).toMatch(/ [1-9][0-9]+$/);
  expect(written()).not.toContain('orphaned');
});

test('names are escaped, so that no name adds a line or a label', () => {
  expect(written()).toContain('sysg_unit_last_exit_code{unit="odd \\"name\\"\\\\\\n"} 3\n');
});

test('OpenMetrics: families without _total, units, an end', () => {
  const text = written('openmetrics');
  expect(text).toMatch(/# TYPE sysg_unit_restarts counter\nsysg_unit_restarts_total\{/);
  expect(text).toContain('# UNIT sysg_unit_resident_memory_bytes bytes\n');
  expect(text.endsWith('# EOF\n')).toBe(true);
});

test.each([
  ['', 'prometheus'], ['*/*', 'prometheus'], ['text/plain', 'prometheus'], ['application/openmetrics-text; version=1.0.0', 'openmetrics'],
  ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.9', 'prometheus'], ['application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'openmetrics'],
])('Accept %j is answered with %s', (accept, format) => expect(formatFor(accept)).toBe(format));

test('counters only grow: records and runs that were seen do not count again', () => {
  const tally = openTally();
  const records = [{ seq: 5, at: '2026-01-01T00:00:00Z', unit: 'web', event: 'rollout', detail: { result: 'kept' } }];
  tally.take(records, snapshot(units));
  tally.take(records, snapshot(units));
  expect([tally.last?.seq, tally.rollouts.get('web')?.get('kept'), tally.missed.get('tick')]).toEqual([5, 1, 2]);
  tally.take([], snapshot([unit('tick', { kind: 'cron', cron: { timezone_label: 'UTC', recent_runs: [run(9, 'OverlapError', 0), run(4, 'OverlapError', 0)] } })]));
  expect(tally.missed.get('tick')).toBe(3);
  // What the supervisor has counted comes first: it goes on where the last runs are not known any more.
  const counted = snapshot([unit('tick', { kind: 'cron', cron: { timezone_label: 'UTC', missed: 40 } })]);
  const [family] = families({ snapshot: counted, supervisorPid: null, tally, version: '0' }).filter(({ name }) => name === 'sysg_cron_missed');
  expect(family?.samples).toEqual([{ labels: { unit: 'tick' }, value: 40 }]);
  expect(tally.rollouts.size, 'a unit that is gone leaves nothing').toBe(0);
});

test('CPU time of a unit never falls: not when a child is gone, and not when the unit has another process, or none', () => {
  const tally = openTally();
  const child = { name: 'c', pid: process.ppid, parent_pid: process.pid, command: 'c', started_at: { secs_since_epoch: 0, nanos_since_epoch: 0 }, depth: 1 };
  const running = (startedAt: string) => ({ process: { pid: process.pid, state: 'running', user: 'root' }, uptime: { seconds: 1, human: '1 secs ago', started_at: startedAt } } as const);
  const taken: number[] = [];
  const take = (rest: Partial<UnitStatus>): void => {
    tally.take([], snapshot([unit('web', rest)]));
    const { user, system } = tally.cpu.get('web') ?? { user: NaN, system: NaN };
    taken.push(user + system);
  };
  take({ ...running('2026-01-01T00:00:00Z'), spawned_children: [{ child }] });
  take(running('2026-01-01T00:00:00Z'));
  take(running('2026-01-01T00:00:09Z'));
  take({ phase: 'backoff' });
  const [whole = 0, without = 0, another = 0, none = 0] = taken;
  expect(without).toBeGreaterThanOrEqual(whole);
  expect(another, 'the time of another process is added').toBeGreaterThan(without);
  expect(none).toBe(another);
});

test('compat takes known names only', () => {
  expect([parseCompat('supervisord'), parseCompat('process-exporter, supervisord'), parseCompat('munin'), parseCompat('supervisord,munin')]).toEqual([['supervisord'], ['supervisord', 'process-exporter'], null, null]);
});

test('/metrics says 0 without a supervisor, and answers by Accept', async () => {
  const call = makeCall();
  const { ask } = makeWeb(call);
  expect(await (await ask('/metrics')).text()).toMatch(/^sysg_up 0$/m);
  await answering(call, { units });
  const open = await ask('/metrics', { headers: { accept: 'application/openmetrics-text' } });
  expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
  expect(await open.text()).toMatch(/^sysg_up 1$[^]*# EOF\n$/m);
});

test('counters go on with a journal that began anew, as after a purge, be it shorter or as long by now', async () => {
  const rollout = (seq: number, day: string) => ({ seq, at: `2026-01-${day}T00:00:00Z`, unit: 'web', event: 'rollout', detail: { result: 'kept' } });
  const state = { units, records: [rollout(1, '01'), rollout(2, '01')] };
  const call = makeCall();
  await answering(call, state);
  const { ask } = makeWeb(call);
  const counted = async (): Promise<readonly unknown[]> => {
    const text = await (await ask('/metrics')).text();
    return [/^sysg_unit_rollouts_total\{unit="web",result="kept"\} (.+)$/m, /^sysg_supervisor_journal_records_total (.+)$/m].map((line) => line.exec(text)?.[1]);
  };
  expect([await counted(), await counted()]).toEqual([['2', '2'], ['2', '2']]);
  state.records = [rollout(1, '02')];
  expect([await counted(), await counted()]).toEqual([['3', '1'], ['3', '1']]);
  state.records = [rollout(1, '03'), rollout(2, '03')];
  expect(await counted()).toEqual(['5', '2']);
  // Of one that is longer than what is asked for the last that was counted is not among the answer.
  state.records = [rollout(4, '03')];
  expect(await counted()).toEqual(['6', '4']);
  state.records = [];
  expect(await counted()).toEqual(['6', '0']);
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test.skipIf(!hasPromtool)('promtool has nothing to say against the metrics (skipped without promtool: apt-get install prometheus)', () => {
  // Two names that are theirs, not ours, are not what promtool wants.
  const own = expose(families({ snapshot: snapshot(units), supervisorPid: process.pid, tally: openTally(), version: '1' }), 'prometheus');
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: own, encoding: 'utf8' });
  expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
});
