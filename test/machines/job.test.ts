import { describe, expect, test } from 'vitest';
import type { CronSpec, ServiceSpec } from '../../machines/types.ts';
import { viewUnit } from '../../machines/view.ts';
import { identityOf, specOf } from './rig.ts';
import { hasEnded } from '../../machines/supervisor.ts';
import { world, type World } from './supervisor-rig.ts';

const job = (cron: Partial<CronSpec> = {}, changes: Parameters<typeof specOf>[0] = {}): ServiceSpec => specOf({
  name: 'tick', cron: { expression: '* * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none', ...cron }, ...changes,
});
const booted = (...specs: readonly ServiceSpec[]): World => {
  const all = world(specs);
  all.send({ type: 'start', units: specs.map(({ name }) => name), origin: { kind: 'boot', by: null } });
  return all;
};
const due = ({ schedules, now }: World, instantWallMs: number, unit = 'tick'): void => schedules.get(unit)?.send({ type: 'due', at: now(), instantWallMs });
const view = ({ root }: World): ReturnType<typeof viewUnit> => viewUnit(root.getSnapshot(), 'tick');

describe('a cron unit', () => {
  test('waits for its instant, runs once, and waits again', () => {
    const all = booted(job());
    expect(all.effects).toEqual([]);
    expect(view(all)).toMatchObject({ phase: 'waiting', wanted: 'up', lifecycle: 'stopped', health: 'healthy' });
    due(all, 60_000);
    expect(all.effects).toEqual(['spawn tick 1']);
    expect(view(all)?.phase).toBe('running');
    all.come('tick');
    all.go('tick');
    expect(view(all)).toMatchObject({ phase: 'waiting', lifecycle: 'exited_successfully' });
    due(all, 120_000);
    expect(all.effects.at(-1)).toBe('spawn tick 2');
    expect(all.runs).toEqual(['tick began 60000', 'tick ended Success', 'tick began 120000']);
  });

  test('shows its next instant for as long as it is on schedule', () => {
    const all = booted(job());
    all.schedules.get('tick')?.send({ type: 'scheduled', at: all.now(), nextWallMs: 60_000 });
    expect(view(all)?.nextWallMs).toBe(60_000);
    all.send({ type: 'stop', units: ['tick'], ticket: 1 });
    expect(view(all)?.nextWallMs).toBe(null);
  });

  test('a run has its schedule as its cause, one that a person asked for the command', () => {
    const all = booted(job({ overlap: 'queue' }));
    const causes = (): readonly string[] => all.facts.flatMap((fact) => (fact.type === 'unit.changed' && fact.facts.state === 'spawning' ? [`${fact.facts.trigger.kind} ${fact.facts.trigger.by}`] : []));
    due(all, 60_000);
    all.come('tick');
    due(all, 120_000);
    all.go('tick');
    expect(causes()).toEqual(['schedule null', 'schedule null']);
    all.come('tick');
    all.send({ type: 'restart', units: ['tick'], specs: null, ticket: 1 });
    all.go('tick');
    all.come('tick');
    all.go('tick');
    all.send({ type: 'start', units: ['tick'], ticket: 2 });
    expect(causes().slice(2)).toEqual(['command restart', 'command start']);
  });

  test.each([
    ['a newer run', job({ overlap: 'replace' }), (all: World) => due(all, 120_000), 'schedule null'],
    ['its timeout', job({ timeoutMs: 90_000 }), (all: World) => [...all.schedules.values()][0]?.send({ type: 'deadline.run', at: 91_000, generation: 1 }), 'timer null'],
    ['a restart', job(), (all: World) => all.send({ type: 'restart', units: ['tick'], specs: null, ticket: 1 }), 'command restart'],
    ['a stop', job(), (all: World) => all.send({ type: 'stop', units: ['tick'], ticket: 1 }), 'command stop'],
  ])('a run that is ended by %s has that as the cause of its end', (_, spec, end, cause) => {
    const all = booted(spec);
    due(all, 60_000);
    all.come('tick');
    end(all);
    const stopping = all.facts.flatMap((fact) => (fact.type === 'unit.changed' && fact.facts.state === 'stopping' ? [`${fact.facts.trigger.kind} ${fact.facts.trigger.by}`] : []));
    expect(stopping[0]).toBe(cause);
  });

  test('of restarts and starts that come while a run goes on each is answered by the run that follows', () => {
    for (const alive of [true, false]) {
      const all = booted(job());
      all.send({ type: 'restart', units: ['tick'], specs: null, ticket: 1 });
      if (alive) all.come('tick');
      else all.report('tick', 'process.spawned');
      all.send({ type: 'restart', units: ['tick'], specs: null, ticket: 2 });
      all.send({ type: 'restart', units: ['tick'], specs: null, ticket: 3 });
      all.send({ type: 'start', units: ['tick'], ticket: 4 });
      expect(all.answers.map(({ ticket }) => ticket)).toEqual(alive ? [1] : []);
      all.go('tick');
      all.come('tick');
      expect(all.answers.map(({ ticket, error }) => [ticket, error])).toEqual([[1, null], [2, null], [3, null], [4, null]]);
      expect(all.effects).toEqual(['spawn tick 1', 'SIGTERM tick 1', 'spawn tick 2']);
      expect(all.runs).toEqual(['tick began by hand', 'tick ended Replaced by a newer run', 'tick began by hand']);
    }
  });

  test('a run whose pre_start fails was not started, and keeps the exit code', () => {
    const all = booted(job({}, { preStart: 'prepare' }));
    due(all, 1);
    all.report('tick', 'process.spawned');
    all.go('tick', 78);
    expect(all.runs).toContain("tick ended Failed to start service 'tick': pre_start exited with status 78");
    expect(all.state('tick')).toBe('waiting');
  });

  test('a failed run is recorded with its reason and never restarted by itself', () => {
    const all = booted(job({}, { restart: { mode: 'always' } }));
    due(all, 1);
    all.report('tick', 'process.spawned');
    all.go('tick', 4);
    due(all, 2);
    all.report('tick', 'process.spawned');
    all.report('tick', 'process.exited', { exit: { code: null, signal: 'SIGSEGV' } });
    all.report('tick', 'process.gone');
    due(all, 3);
    all.report('tick', 'process.refused', { reason: "program 'nope' not found" });
    expect(all.runs.filter((run) => run.includes('ended'))).toEqual([
      'tick ended Process exited with code 4', 'tick ended Terminated by signal SIGSEGV',
      "tick ended Failed to start service 'tick': program 'nope' not found",
    ]);
    expect(all.state('tick')).toBe('waiting');
  });

  test('one is on record before its first run, as wanted and as stopped: the next supervisor would take it for new', () => {
    const all = booted(job());
    expect(all.records.get('tick')).toMatchObject({ wanted: 'up', state: 'stopped', generation: 0 });
    all.send({ type: 'stop', units: ['tick'], ticket: 1 });
    expect(all.records.get('tick')).toMatchObject({ wanted: 'down', state: 'stopped', generation: 0 });
  });

  test('a run that is ended for the next one, or by its limit, leaves the schedule wanted on record; a stop meanwhile, and a start after it, are on record too', () => {
    const all = booted(job({ timeoutMs: 90_000 }));
    due(all, 1);
    all.come('tick');
    const wanted = () => all.records.get('tick')?.wanted;
    all.send({ type: 'restart', units: ['tick'], specs: [], ticket: 1 } as never);
    expect([all.records.get('tick')?.state, wanted()]).toEqual(['stopping', 'up']);
    all.send({ type: 'stop', units: ['tick'], ticket: 2 });
    expect(wanted()).toBe('down');
    all.send({ type: 'start', units: ['tick'], ticket: 3 });
    expect(wanted()).toBe('up');
    all.report('tick', 'process.gone');
    expect([all.state('tick'), wanted()]).toEqual(['running', 'up']);
    all.come('tick');
    all.report('tick', 'deadline.stable');
    [...all.schedules.values()][0]?.send({ type: 'deadline.run', at: 91_000, generation: 1 });
    expect([all.records.get('tick')?.state, wanted()]).toEqual(['stopping', 'up']);
    all.report('tick', 'process.gone');
    expect([all.records.get('tick')?.state, wanted()]).toEqual(['stopped', 'up']);
  });

  test('overlap skip is a record of its own, and the run keeps its identity', () => {
    const all = booted(job());
    due(all, 1);
    all.come('tick');
    due(all, 2);
    all.go('tick');
    expect(all.runs).toEqual(['tick began 1', 'tick overlapped 2', 'tick ended Success']);
  });

  test('overlap queue keeps one and runs it when the present one has ended', () => {
    const all = booted(job({ overlap: 'queue' }));
    due(all, 1);
    all.come('tick');
    due(all, 2);
    due(all, 3);
    all.go('tick');
    all.come('tick');
    all.go('tick');
    expect(all.runs).toEqual(['tick began 1', 'tick ended Success', 'tick began 3', 'tick ended Success']);
  });

  test('overlap replace ends the present run first', () => {
    const all = booted(job({ overlap: 'replace' }));
    due(all, 1);
    all.come('tick');
    due(all, 2);
    expect(all.effects).toEqual(['spawn tick 1', 'SIGTERM tick 1']);
    all.go('tick');
    expect(all.effects).toEqual(['spawn tick 1', 'SIGTERM tick 1', 'spawn tick 2']);
    expect(all.runs).toEqual(['tick began 1', 'tick ended Replaced by a newer run', 'tick began 2']);
  });

  test('removed while its run is being stopped, the stop is answered when the run has ended', () => {
    const all = booted(job(), specOf({ name: 'other' }));
    due(all, 1);
    all.come('tick');
    all.send({ type: 'stop', units: ['tick'], ticket: 5 });
    all.send({ type: 'reload', specs: [specOf({ name: 'other' })] });
    expect(all.answers).toEqual([]);
    all.go('tick');
    expect(all.answers).toMatchObject([{ ticket: 5, unit: 'tick' }]);
    expect([all.state('tick'), all.records.has('tick')]).toEqual(['absent', false]);
  });

  test('a run that takes too long is ended with its tree', () => {
    const all = booted(job({ timeoutMs: 90_000 }));
    const begun = all.now();
    due(all, 1);
    expect(all.root.getSnapshot().context.units.get('tick')?.ref?.getSnapshot().context.deadline).toEqual({ kind: 'run', at: begun + 90_000 });
    all.come('tick');
    all.report('tick', 'deadline.stable');
    const [target] = [...all.schedules.values()];
    target?.send({ type: 'deadline.run', at: 91_000, generation: 1 });
    expect(all.effects.at(-1)).toBe('SIGTERM tick 1');
    all.go('tick');
    expect(all.runs.at(-1)).toBe('tick ended Timed out after 90s');
  });

  test('a unit that needs it resumes the schedule while its run is being ended, and begins no other run', () => {
    const all = booted(job(), specOf({ name: 'web', dependsOn: [{ service: 'tick', condition: 'started', onRestart: 'ignore' }] }));
    all.send({ type: 'start', units: ['tick'] });
    all.come('tick');
    all.send({ type: 'stop', units: ['tick'] });
    all.send({ type: 'start', units: ['web'] });
    expect([all.schedules.has('tick'), all.records.get('tick')?.wanted]).toEqual([true, 'up']);
    all.go('tick');
    expect([all.effects.filter((effect) => effect.startsWith('spawn tick')), all.runs.at(-1)]).toEqual([['spawn tick 1'], 'tick ended Stopped']);
  });

  test('one that takes too long before it is up answers with its limit who asked for it', () => {
    const all = booted(job({ timeoutMs: 90_000 }, { preStart: 'true' }));
    all.send({ type: 'start', ticket: 1, units: ['tick'] });
    all.report('tick', 'process.spawned');
    [...all.schedules.values()][0]?.send({ type: 'deadline.run', at: 91_000, generation: 1 });
    expect(all.answers).toEqual([{ ticket: 1, unit: 'tick', result: 'failed', error: 'Timed out after 90s' }]);
    all.go('tick');
    expect(all.runs.at(-1)).toBe('tick ended Timed out after 90s');
  });

  test('Start runs now and is answered; Stop ends the run and suspends; Start resumes', () => {
    const all = booted(job());
    all.send({ type: 'start', ticket: 1, units: ['tick'] });
    all.come('tick');
    expect(all.answers).toEqual([{ ticket: 1, unit: 'tick', result: 'started', error: null }]);
    all.send({ type: 'stop', ticket: 2, units: ['tick'] });
    all.go('tick');
    expect(all.answers.at(-1)).toEqual({ ticket: 2, unit: 'tick', result: 'stopped', error: null });
    expect(all.schedules.has('tick')).toBe(false);
    expect(view(all)).toMatchObject({ phase: 'waiting', wanted: 'down' });
    expect(all.records.get('tick')?.wanted).toBe('down');
    all.send({ type: 'start', ticket: 3, units: ['tick'] });
    expect(all.effects.at(-1)).toBe('spawn tick 2');
    expect(all.schedules.has('tick')).toBe(true);
  });

  test('Stop between two runs suspends at once', () => {
    const all = booted(job());
    all.send({ type: 'stop', ticket: 1, units: ['tick'] });
    expect(all.answers).toEqual([{ ticket: 1, unit: 'tick', result: 'stopped', error: null }]);
    expect(all.schedules.has('tick')).toBe(false);
  });

  test('a changed definition is for the next run; a removed unit ends its run and goes', () => {
    const all = booted(job());
    due(all, 1);
    all.come('tick');
    all.send({ type: 'reload', specs: [job({}, { command: 'other', definition: { process: 'p2', policy: 'q1' } })] });
    expect(all.effects).toEqual(['spawn tick 1']);
    all.go('tick');
    all.send({ type: 'reload', specs: [] });
    expect(all.state('tick')).toBe('absent');
    expect(all.schedules.size).toBe(0);
  });

  test('a service that becomes a cron unit is ended first, and back again', () => {
    const all = world([specOf({ name: 'tick' })], { start: ['tick'] });
    all.come('tick');
    all.send({ type: 'reload', specs: [job()] });
    expect(all.effects).toEqual(['spawn tick 1', 'SIGTERM tick 1']);
    all.go('tick');
    expect(view(all)).toMatchObject({ phase: 'waiting', wanted: 'up' });
    all.send({ type: 'reload', specs: [specOf({ name: 'tick' })] });
    expect(all.effects.at(-1)).toBe('spawn tick 1');
  });

  test('after a crash of the supervisor: a living run goes on, a dead one is closed as interrupted, a suspended unit stays so', () => {
    const record = (changes: object): object => ({
      unit: 'tick', hash: '', definition: { process: 'p1', policy: 'q1' }, wanted: 'up', state: 'running', cause: null, generation: 3,
      process: { generation: 3, role: 'main', token: 'old.3', identity: identityOf(50), adopted: false }, outcome: 'none', exit: null, reason: null,
      failures: [], streak: 0, restarts: 0, deadline: null, since: 0, ...changes,
    });
    const alive = world([job()], { adopt: [{ record: record({}), verdict: 'alive' }] });
    expect(alive.effects).toEqual(['adopt tick 3']);
    expect(view(alive)?.phase).toBe('running');
    expect(alive.askedForWaiting).toEqual(['tick']);
    alive.send({ type: 'start', units: ['tick'] });
    expect(alive.askedForWaiting).toEqual(['tick']);
    alive.report('tick', 'process.gone');
    expect(alive.runs).toEqual(['tick ended Interrupted by supervisor crash']);
    expect(alive.schedules.has('tick')).toBe(true);

    for (const verdict of ['dead', 'unborn']) {
      const dead = world([job()], { adopt: [{ record: record({ state: 'spawning' }), verdict }] });
      expect(dead.effects).toEqual([]);
      expect(dead.askedForWaiting).toEqual([]);
      expect(dead.runs).toEqual(['tick ended Interrupted by supervisor crash']);
      expect(view(dead)?.phase).toBe('waiting');
    }
    const suspended = world([job()], { adopt: [{ record: record({ wanted: 'down', state: 'stopped', process: null }), verdict: 'rest' }] });
    expect(suspended.schedules.has('tick')).toBe(false);
    expect(view(suspended)?.wanted).toBe('down');
  });

  test('the limit of a run counts from its begin, whichever supervisor that was under', () => {
    const record = {
      unit: 'tick', hash: '', definition: { process: 'p1', policy: 'q1' }, wanted: 'up', state: 'running', cause: null, generation: 3,
      process: { generation: 3, role: 'main', token: 'old.3', identity: identityOf(50), adopted: false }, outcome: 'none', exit: null, reason: null,
      failures: [], streak: 0, restarts: 0, deadline: null, since: 400,
    };
    const all = world([job({ timeoutMs: 90_000 })], { adopt: [{ record, verdict: 'alive' }] });
    expect(view(all)).toMatchObject({ phase: 'running', since: 400 });
    all.report('tick', 'deadline.stable');
    expect([all.elapse('tick'), all.now(), all.effects.at(-1)]).toEqual(['run', 90_400, 'SIGTERM tick 3']);
  });

  test('shutdown ends the run', () => {
    const all = booted(job(), specOf({ name: 'web' }));
    all.come('web');
    due(all, 1);
    all.come('tick');
    all.send({ type: 'shutdown', exitCode: 0 });
    all.go('tick');
    all.go('web');
    expect(hasEnded(all.root.getSnapshot())).toBe(true);
  });

  test('a dependency on a cron unit is satisfied at once', () => {
    const all = booted(job(), specOf({ name: 'web', dependsOn: [{ service: 'tick', condition: 'started', onRestart: 'restart' }] }));
    expect(all.effects).toEqual(['spawn web 1']);
  });
});
