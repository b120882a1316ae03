import { describe, expect, test } from 'vitest';
import type { Dependency, ServiceSpec } from '../../machines/types.ts';
import { parseEvent } from '../../src/simulate/events.ts';
import { policyWarnings } from '../../src/simulate/policy-warnings.ts';
import { simulationJson, simulationReport } from '../../src/simulate/report.ts';
import { emptyScenario, readScenario, type Scenario } from '../../src/simulate/scenario.ts';
import { simulate, type Simulation } from '../../src/simulate/simulate.ts';
import displayWidth from '../../src/width.ts';
import { specOf } from '../machines/rig.ts';

const plainReport = { strong: String, faint: String, good: String, bad: String };

const check: NonNullable<ServiceSpec['check']> = {
  probe: { kind: 'tcp', host: 'localhost', port: 1 }, intervalMs: 2000, timeoutMs: 10_000, attemptTimeoutMs: null, retries: 2, startPeriodMs: 0, onUnhealthy: 'restart',
};
const never = { mode: 'never' } as const;

function scenario(text: string): Scenario {
  const read = readScenario('scenario.yaml', text);
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'));
  return read.scenario;
}

function problemsOf(text: string): readonly string[] {
  const read = readScenario('scenario.yaml', text);
  return read.ok ? [] : read.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

/** `3000 api running → stopping`, for one unit or all. */
function stepsOf({ steps }: Simulation, unit?: string): readonly string[] {
  return steps.filter((step) => unit === undefined || step.unit === unit).map((step) => `${step.atMs} ${step.unit} ${step.from} → ${step.to}`);
}

describe('what happens to processes', () => {
  test('a crash: backoff for the configured time, then a new process', () => {
    const simulation = simulate({ specs: [specOf({ name: 'api' })], scenario: scenario('events: [{at: 3s, unit: api, exit: 1}]') });
    expect(stepsOf(simulation)).toEqual([
      '0 api stopped → starting', '51 api starting → running', '3000 api running → stopping', '3000 api stopping → backoff',
      '4000 api backoff → starting', '4051 api starting → running',
    ]);
    expect(simulation.units.get('api')).toMatchObject({ restarts: 1, starts: 2, phase: 'running', downtimeMs: 1051, longestDownMs: 1051 });
    expect(simulation.endedBy).toBe('quiet');
  });

  test('every try waits twice as long, until the limit makes the unit fail', () => {
    const spec = specOf({ name: 'api', restart: { maxRestarts: 3 } });
    const simulation = simulate({ specs: [spec], scenario: scenario('services: {api: {runs: 200ms, exit: 7}}') });
    const waits = simulation.steps.filter(({ to }) => to === 'backoff').map(({ facts, atMs }) => (facts.deadline?.at ?? 0) - atMs);
    expect(waits).toEqual([1000, 2000, 4000]);
    expect(simulation.units.get('api')).toMatchObject({ phase: 'failed', restarts: 3, reason: 'process exited with status 7' });
  });

  test('a process that ignores its stop signal is killed after the grace', () => {
    const spec = specOf({ name: 'api', stopTimeoutMs: 3000 });
    const simulation = simulate({ specs: [spec], scenario: scenario('services: {api: {stops_in: never}}\nevents: [{at: 5s, command: stop api}]') });
    expect(stepsOf(simulation).slice(2)).toEqual(['5000 api running → stopping', '8000 api stopping → stopped']);
    expect(simulation.records.map(({ to }) => to)).toContain('killing');
    expect(simulation.units.get('api')).toMatchObject({ wanted: 'down', restarts: 0, downtimeMs: 0 });
  });

  test('one-shots end well after a second, also when nothing is said', () => {
    const simulation = simulate({ specs: [specOf({ name: 'migrate', restart: { oneshot: true } })], scenario: emptyScenario });
    expect(simulation.units.get('migrate')).toMatchObject({ phase: 'stopped', reason: 'completed', downtimeMs: 0 });
    expect(simulation.lastedMs).toBe(1001);
  });

  test('a restart of everything leaves what has completed, one of a unit does not', () => {
    const specs = [specOf({ name: 'migrate', restart: { oneshot: true } }), specOf({ name: 'api' })];
    const starts = (events: string): readonly unknown[] => {
      const { units } = simulate({ specs, scenario: scenario(`events: [${events}]`) });
      return ['migrate', 'api'].map((name) => units.get(name)?.starts);
    };
    expect(starts('{at: 4s, command: restart}')).toEqual([1, 2]);
    expect(starts('{at: 4s, command: restart migrate}')).toEqual([2, 1]);
    const setup = simulate({ specs: [specOf({ name: 'setup' })], scenario: scenario('events: [{at: 1s, unit: setup, exit: 0}, {at: 4s, command: restart}]') });
    expect(setup.units.get('setup')?.starts).toBe(2);
  });

  test('commands of a person are no restarts of the supervisor; a reload takes over another file', () => {
    const [old, changed] = [specOf({ name: 'api' }), specOf({ name: 'api', definition: { process: 'p2', policy: 'q1' } })];
    const simulation = simulate({
      specs: [old], files: new Map([['next.yaml', { specs: [changed, specOf({ name: 'extra' })] }]]),
      scenario: scenario('events: [{at: 2s, command: restart api}, {at: 4s, command: reload next.yaml}]'),
    });
    expect(stepsOf(simulation, 'api').slice(2)).toEqual([
      '2000 api running → stopping', '2000 api stopping → starting', '2051 api starting → running',
      '4000 api running → stopping', '4000 api stopping → starting', '4051 api starting → running',
    ]);
    expect(simulation.units.get('api')).toMatchObject({ restarts: 0, starts: 3 });
    expect(simulation.units.get('extra')).toMatchObject({ phase: 'running' });
  });

  test('a service with profiles is there when one of them is chosen, when a start names it, and when one that is there needs it', () => {
    const specs = [specOf({ name: 'api' }), specOf({ name: 'worker', dependsOn: [{ service: 'queue', condition: 'started', onRestart: 'ignore' }] }), specOf({ name: 'queue' })];
    const profiles = { worker: ['jobs'], queue: ['more'] };
    const unitsOf = (simulation: Simulation): readonly string[] => [...simulation.units.keys()].toSorted();
    expect(unitsOf(simulate({ specs, profiles, scenario: emptyScenario }))).toEqual(['api']);
    expect(unitsOf(simulate({ specs, profiles, chosen: { profiles: ['jobs'], names: new Set() }, scenario: emptyScenario }))).toEqual(['api', 'queue', 'worker']);
    const summoned = simulate({ specs, profiles, scenario: scenario('events: [{at: 2s, command: start worker}, {at: 4s, command: reload}, {at: 5s, command: restart worker}]') });
    expect(stepsOf(summoned, 'worker')).toEqual([
      '2000 worker stopped → starting', '2052 worker starting → running', '5000 worker running → stopping', '5000 worker stopping → starting', '5051 worker starting → running',
    ]);
    expect(summoned.units.get('queue')).toMatchObject({ phase: 'running', starts: 1 });
  });

  test('the end of an essential unit ends the supervisor with its exit code', () => {
    const specs = [specOf({ name: 'main', essential: true, restart: never }), specOf({ name: 'helper' })];
    const simulation = simulate({ specs, scenario: scenario('events: [{at: 2s, unit: main, exit: 3}]') });
    expect(simulation).toMatchObject({ endedBy: 'supervisor', exitCode: 3, lastedMs: 2000 });
    expect(simulation.units.get('helper')).toMatchObject({ phase: 'stopped' });
  });
});

describe('checks and dependencies', () => {
  const specs = [
    specOf({ name: 'db', check }),
    specOf({ name: 'api', dependsOn: [{ service: 'db', condition: 'healthy', onRestart: 'restart' }] }),
  ];

  test('a dependent waits until the check passes', () => {
    const simulation = simulate({ specs, scenario: scenario('services: {db: {starts_in: 3s}}') });
    expect(stepsOf(simulation)).toContain('4001 db starting → running');
    expect(stepsOf(simulation)).toContain('4052 api starting → running');
  });

  test('a check that begins to fail restarts the unit after its retries, and its dependents with it', () => {
    const simulation = simulate({ specs, scenario: scenario('events: [{at: 5s, unit: db, check: fail}, {at: 12s, unit: db, check: ok}]') });
    expect(stepsOf(simulation)).toContain('8001 db running → stopping');
    expect(stepsOf(simulation)).toContain('8001 api running → stopping');
    expect(simulation.units.get('db')).toMatchObject({ phase: 'running', restarts: 1 });
    expect(simulation.units.get('api')).toMatchObject({ phase: 'running', restarts: 1 });
    const crossing = simulation.records.find(({ unit, to }) => unit === 'api' && to === 'stopping');
    expect(crossing?.cause).toMatchObject({ kind: 'dependency', by: 'db' });
    expect(simulation.records[(crossing?.cause?.seq ?? 0) - 1]?.unit).toBe('db');
  });

  test('whether a unit has a check is asked of the definition that it has by then', () => {
    const simulation = simulate({
      specs: [specOf({ name: 'db' })], files: new Map([['checked.yaml', { specs: [specOf({ name: 'db', check })] }]]),
      scenario: scenario('for: 1m\nevents: [{at: 2s, unit: db, check: ok}, {at: 3s, command: reload checked.yaml}, {at: 5s, unit: db, check: fail}]'),
    });
    expect(simulation.warnings).toEqual(["db@2s=check:ok: 'db' has no check"]);
    expect(simulation.records.some(({ event }) => event === 'probe.bad')).toBe(true);
  });

  test('a check that takes longer than it may never passes', () => {
    const simulation = simulate({ specs: [specs[0] as ServiceSpec], scenario: scenario('for: 1m\nservices: {db: {check_takes: 11s}}') });
    expect(simulation.units.get('db')?.phase).not.toBe('running');
    expect(simulation.records.some(({ event }) => event === 'probe.timeout')).toBe(true);
  });

  test('without a restart on unhealthy the unit runs on, and counts as down', () => {
    const db = specOf({ name: 'db', check: { ...check, onUnhealthy: 'none' } });
    const simulation = simulate({ specs: [db], scenario: scenario('for: 20s\nevents: [{at: 5s, unit: db, check: fail}, {at: 13s, unit: db, check: ok}]') });
    expect(simulation.units.get('db')).toMatchObject({ phase: 'running', restarts: 0, downtimeMs: 6000 });
  });
});

test('cron units run by the wall clock of the scenario, across a change to summer time', () => {
  const nightly = specOf({ name: 'nightly', cron: { expression: '30 2 * * *', timezone: 'America/New_York', overlap: 'skip', timeoutMs: null, catchUp: 'none' } });
  const simulation = simulate({ specs: [nightly], scenario: scenario('start: "2026-03-07T00:30:00-05:00"\nfor: 3d') });
  const runs = simulation.records.filter(({ to }) => to === 'spawning').map(({ at }) => at);
  // 02:30 does not exist on 8 March: the run is at the end of the gap, 03:00.
  expect(runs).toEqual(['2026-03-07T07:30:00.000Z', '2026-03-08T07:00:00.000Z', '2026-03-09T06:30:00.000Z']);
  expect(simulation.units.get('nightly')).toMatchObject({ kind: 'cron', phase: 'waiting', starts: 3, restarts: 0, downtimeMs: 0 });
  expect(simulationReport(simulation, { look: plainReport, whole: true }).filter((line) => line.includes('running → waiting'))).toEqual(Array(3).fill(expect.stringMatching(/exited with status 0$/)));
});

describe('the simulation as such', () => {
  const jittery = specOf({ name: 'api', restart: { backoff: { initialMs: 1000, maxMs: 60_000, factor: 2, jitter: 0.5 } } });
  const crashes = 'for: 5m\nservices: {api: {runs: 1s, exit: 1}}';

  test('the same seed gives the same result, another seed another one', () => {
    const first = simulate({ specs: [jittery], scenario: scenario(crashes) });
    expect(simulate({ specs: [jittery], scenario: scenario(crashes) })).toEqual(first);
    expect(simulate({ specs: [jittery], scenario: scenario(`${crashes}\nseed: 2`) }).steps).not.toEqual(first.steps);
  });

  test('a day of a crash loop comes to its end, with a record of each restart', () => {
    const simulation = simulate({ specs: [specOf({ name: 'api' })], scenario: scenario('for: 1d\nservices: {api: {runs: 100ms, exit: 1}}') });
    expect(simulation).toMatchObject({ lastedMs: 86_400_000, endedBy: 'time' });
    const restarts = simulation.units.get('api')?.restarts ?? 0;
    expect(simulation.records.filter(({ to }) => to === 'spawning').length).toBe(restarts + 1);
    expect(restarts).toBe(1442);
  });

  test('a simulation of units that change without end is given up, with a warning', () => {
    const spinning = specOf({ name: 'api', restart: { backoff: { initialMs: 0, maxMs: 0, factor: 1, jitter: 0 } } });
    const simulation = simulate({ specs: [spinning], scenario: scenario('for: 1d\nservices: {api: {runs: 0s, exit: 1}}'), mostChanges: 1000 });
    expect(simulation.endedBy).toBe('storm');
    expect(simulation.warnings.at(-1)).toContain('without end');
  });

  test('events without effect are listed', () => {
    const simulation = simulate({
      specs: [specOf({ name: 'api', restart: never })],
      scenario: scenario('for: 10s\nevents: [{at: 2s, unit: api, exit: 1}, {at: 3s, unit: api, signal: KILL}, {at: 4s, unit: api, check: fail}, {at: 20s, unit: api, exit: 0}]'),
    });
    expect(simulation.warnings).toEqual([
      "api@3s=signal:SIGKILL: no process of 'api' runs at that time (failed)", "api@4s=check:fail: 'api' has no check",
      'api@20s=exit:0: is after the end of the simulation',
    ]);
  });
});

describe('what is printed', () => {
  const simulation = simulate({ specs: [specOf({ name: 'api', restart: { maxRestarts: 0 } }), specOf({ name: 'db' })], scenario: scenario('for: 10s\nevents: [{at: 3s, unit: api, exit: 1}]') });

  test('the report has the timeline, a verdict, each unit and the warnings', () => {
    const report = simulationReport(simulation, { look: plainReport, whole: false });
    expect(report).toContain('00:03.000  api   running → stopping  exited with status 1');
    expect(report.find((line) => line.includes('changes; after 10s'))).toContain('1 of 2 units is in trouble');
    expect(report.find((line) => line.startsWith('  api'))).toMatch(/failed +0 restarts +down 7s \(70\.0 %\) +process exited with status 1/);
    expect(report.find((line) => line.startsWith('  db'))).toMatch(/running +0 restarts +never down/);
  });

  test('columns stand below each other when names are wide, or have marks that take no column', () => {
    const names = ['データ', 'api', 'cafe\u0301🚀'];
    const odd = simulate({ specs: names.map((name) => specOf({ name })), scenario: scenario('for: 10s') });
    const report = simulationReport(odd, { look: plainReport, whole: true });
    for (const word of ['→ running', 'running ']) {
      const columns = report.flatMap((line) => (line.includes(word) && names.some((name) => line.includes(name)) ? [displayWidth(line.slice(0, line.indexOf(word)))] : []));
      expect([columns.length >= names.length, new Set(columns).size], report.join('\n')).toEqual([true, 1]);
    }
  });

  test('a long timeline is shortened, unless all of it is asked for', () => {
    const long = simulate({ specs: [specOf({ name: 'api' })], scenario: scenario('for: 1h\nservices: {api: {runs: 1s, exit: 1}}') });
    expect(simulationReport(long, { look: plainReport, whole: false }).length).toBeLessThan(50);
    expect(simulationReport(long, { look: plainReport, whole: true }).length).toBeGreaterThan(long.steps.length);
  });

  test('the JSON has journal records, outcomes and warnings', () => {
    const printed = JSON.parse(simulationJson(simulation)) as Record<string, unknown>;
    expect(printed['units']).toMatchObject({ api: { restarts: 0, downtime_ms: 7000, phase: 'failed' }, db: { restarts: 0, downtime_ms: 0, phase: 'running' } });
    expect(printed['events']).toContainEqual(expect.objectContaining({
      at: '2026-01-01T00:00:03.000Z', unit: 'api', generation: 1, event: 'process.exited', from: 'running', to: 'clearing', cause: expect.objectContaining({ kind: 'exit' }) as object,
    }));
    expect(printed['warnings']).toEqual([]);
  });
});

describe('policies that can never take effect', () => {
  test('a limit that growing delays keep out of its window', () => {
    const tight = { maxRestarts: 10, windowMs: 60_000, backoff: { initialMs: 10_000, maxMs: 60_000, factor: 2, jitter: 0 } };
    expect(policyWarnings([specOf({ name: 'api', restart: tight })]).join()).toContain('max_restarts 10 can never be reached');
    expect(policyWarnings([specOf({ name: 'api', restart: { ...tight, maxRestarts: 2 } })])).toEqual([]);
  });

  test('the warning is true: such a unit never fails, and one without the warning does', () => {
    const tight = { maxRestarts: 3, windowMs: 60_000, backoff: { initialMs: 10_000, maxMs: 60_000, factor: 2, jitter: 0 } };
    for (const maxRestarts of [1, 2, 3, 4]) {
      const spec = specOf({ name: 'api', restart: { ...tight, maxRestarts } });
      const { units } = simulate({ specs: [spec], scenario: scenario('for: 1h\nservices: {api: {runs: 0s, exit: 1}}') });
      expect([maxRestarts, units.get('api')?.phase !== 'failed']).toEqual([maxRestarts, policyWarnings([spec]).length > 0]);
    }
  });

  test('other ones: a limit without restarts, forgiveness at once, essential for ever, a slow check, long runs, a long stop', () => {
    const one = (changes: Parameters<typeof specOf>[0]): string => policyWarnings([specOf({ name: 'u', ...changes })]).join('\n');
    expect(one({ restart: { mode: 'never', maxRestarts: 3 } })).toContain('restart_policy is never');
    expect(one({ restart: { maxRestarts: 3, stableAfterMs: 0 } })).toContain('stable_after 0s');
    expect(one({ essential: true })).toContain('essential has no effect');
    expect(one({ check: { ...check, intervalMs: 60_000 } })).toContain('tried twice at most');
    expect(one({ cron: { expression: '*/5 * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: 600_000, catchUp: 'none' } })).toContain('longer than the 5m between two runs');
    expect(one({ stopTimeoutMs: 30_000 })).toContain('u: stop_timeout may take 30s');
    expect(one({})).toBe('');
  });

  test('graces add up along a chain of dependencies', () => {
    const specs = [specOf({ name: 'db', stopTimeoutMs: 8000 }), specOf({ name: 'api', stopTimeoutMs: 8000, dependsOn: [{ service: 'db', condition: 'started', onRestart: 'ignore' }] })];
    expect(policyWarnings(specs)).toEqual([expect.stringContaining('stopping api, then db may take 16s')]);
  });

  test('stop times that nobody set are not warned of', () => {
    const after = (service: string): readonly Dependency[] => [{ service, condition: 'started', onRestart: 'ignore' }];
    const chain = (stopTimeoutMs: number): readonly string[] => policyWarnings([
      specOf({ name: 'db', stopTimeoutMs: 10_000 }), specOf({ name: 'api', stopTimeoutMs, dependsOn: after('db') }), specOf({ name: 'web', stopTimeoutMs: 10_000, dependsOn: after('api') }),
    ]);
    expect([chain(10_000), chain(5000)]).toEqual([[], []]);
    expect(chain(12_000)).toEqual([expect.stringContaining('stopping web, then api, then db may take 32s')]);
  });
});

describe('what a scenario may say', () => {
  test('times are offsets or instants', () => {
    const read = scenario('start: "2026-03-08T00:30:00-05:00"\nevents:\n  - {at: 90s, unit: api, exit: 1}\n  - {at: "2026-03-08T05:31:00Z", unit: api, signal: kill}\n');
    expect(read.events).toEqual([
      { kind: 'exit', atMs: 90_000, unit: 'api', exit: { code: 1, signal: null } }, { kind: 'exit', atMs: 60_000, unit: 'api', exit: { code: null, signal: 'SIGKILL' } },
    ]);
  });

  test('everything wrong is named with its place', () => {
    expect(problemsOf('fro: 3m\nservices: {api: {runs: soon}}\nevents:\n  - {at: 3s, unit: api}\n  - {at: 4s, exit: 1}\n  - {unit: api, exit: 300}\n  - {at: 5s, command: dance}\n')).toEqual([
      expect.stringMatching(/^1:1 fro: unknown key 'fro'/), expect.stringMatching(/^2:24 services\.api\.runs: expected a duration/),
      expect.stringMatching(/^4:5 events\.0: expected one of 'exit', 'signal', 'check' and 'command'/), expect.stringMatching(/^5:5 events\.1: expected 'unit'/),
      expect.stringMatching(/^6:\d+ events\.2.*missing field `at`/), expect.stringMatching(/^6:\d+ events\.2\.exit: expected a whole number from 0 to 255, got 300/),
      expect.stringMatching(/^7:\d+ events\.3\.command: expected a command: start, stop, restart, reload.*got "dance"/),
    ]);
  });

  test('events of the command line', () => {
    const at = Date.UTC(2026, 0, 1);
    expect(parseEvent('api@3s=exit:1', at)).toEqual({ ok: true, event: { kind: 'exit', atMs: 3000, unit: 'api', exit: { code: 1, signal: null } } });
    expect(parseEvent('api@4s=signal:SIGKILL', at)).toEqual({ ok: true, event: { kind: 'exit', atMs: 4000, unit: 'api', exit: { code: null, signal: 'SIGKILL' } } });
    expect(parseEvent('db@2026-01-01T00:00:05Z=check:fail', at)).toEqual({ ok: true, event: { kind: 'check', atMs: 5000, unit: 'db', passes: false } });
    expect(parseEvent('@6s=restart api', at)).toEqual({ ok: true, event: { kind: 'command', atMs: 6000, command: { verb: 'restart', unit: 'api', file: null } } });
    for (const wrong of ['api', 'api@3s', 'api@soon=exit:1', 'api@3s=exit:256', 'api@3s=signal:SIGNONE', '@3s=dance', 'db@3s=check:maybe']) {
      expect(parseEvent(wrong, at)).toMatchObject({ ok: false, problem: expect.stringContaining('expected UNIT@TIME') as string });
    }
  });
});
