import { describe, expect, test } from 'vitest';
import type { HealthCheck, ServiceSpec } from '../../machines/types.ts';
import { specOf } from './rig.ts';
import { hasEnded } from '../../machines/supervisor.ts';
import { world, type World } from './supervisor-rig.ts';

const check: HealthCheck = { probe: { kind: 'command', command: 'gate {slot}' }, intervalMs: 1000, timeoutMs: 5000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart' };
const deployment: ServiceSpec['deployment'] = { strategy: 'rolling', check: null, gracePeriodMs: 0, blueGreen: null, onAddressInUse: 'replace' };
const blueGreen: ServiceSpec['deployment']['blueGreen'] = {
  envVar: 'PORT', slots: ['4000', '4001'], switchCommand: 'switch {active_slot} {candidate_slot}', candidateCheck: check, switchVerify: check, statePath: null,
};

function rolling(changes: Partial<ServiceSpec['deployment']> = {}, spec: Parameters<typeof specOf>[0] = {}): ServiceSpec {
  return specOf({ deployment: { ...deployment, ...changes }, ...spec });
}

/** Runs the units, then restarts the first. */
function restarted(specs: readonly ServiceSpec[], command: Record<string, unknown> = {}): World {
  const it = world(specs);
  it.send({ type: 'start', units: specs.map(({ name }) => name) });
  for (const { name } of specs) it.come(name);
  it.effects.length = 0;
  it.send({ type: 'restart', ticket: 7, units: [specs[0]?.name ?? ''], specs: null, ...command });
  return it;
}

/** The candidate's processes are born and die by themselves from here on. */
function comeAside(it: World, unit = 'web'): void {
  it.report(`${unit}/aside`, 'process.spawned');
  it.elapse(`${unit}/aside`);
  // Where it shares its address with the old one it is watched for a while.
  if (it.step(unit) === 'starting') it.elapse(`${unit}/rollout`);
}

function leaveAside(it: World, unit = 'web'): void {
  it.report(`${unit}/aside`, 'process.exited', { exit: { code: 0, signal: null } });
  it.report(`${unit}/aside`, 'process.gone');
}

describe('rolling', () => {
  test('a candidate beside the old instance: the old one ends only when the candidate runs', () => {
    const it = restarted([rolling()]);
    expect(it.effects).toEqual(['spawn web 2']);
    expect([it.state('web'), it.step('web')]).toEqual(['running', 'starting']);
    comeAside(it);
    expect(it.effects).toEqual(['spawn web 2', 'SIGTERM web 1']);
    expect([it.state('web'), it.state('web/aside'), it.step('web')]).toEqual(['running', 'stopping', 'retiring']);
    expect(it.answers).toEqual([]);
    leaveAside(it);
    expect([it.state('web'), it.step('web')]).toEqual(['running', 'none']);
    expect(it.answers).toEqual([{ ticket: 7, unit: 'web', result: 'started', error: null }]);
    expect([...it.records].map(([unit, { generation, wanted, state }]) => [unit, generation, wanted, state])).toEqual([['web', 2, 'up', 'running']]);
  });

  test('the end of the old instance is not the end of the service: its hooks are those of a start', () => {
    const hook = { command: 'x', timeoutMs: 1000 };
    const hooks = (['on_start', 'on_stop', 'on_restart'] as const).flatMap((stage) => (['success', 'error'] as const).map((outcome) => ({ ...hook, stage, outcome })));
    const it = restarted([rolling({}, { hooks } as never)]);
    comeAside(it);
    leaveAside(it);
    expect(it.effects.filter((effect) => effect.startsWith('hook'))).toEqual(['hook web on_start.success']);
    // The actors of the old instance, of the rollout and of the operation are let go.
    expect(Object.keys(it.root.getSnapshot().children)).toEqual([it.root.getSnapshot().context.units.get('web')?.ref?.id]);
  });

  test('both run through the grace period', () => {
    const it = restarted([rolling({ gracePeriodMs: 5000 })]);
    comeAside(it);
    expect([it.state('web'), it.state('web/aside'), it.step('web')]).toEqual(['running', 'running', 'grace']);
    expect(it.elapse('web/rollout')).toBe('rollout');
    expect(it.step('web')).toBe('retiring');
    leaveAside(it);
    expect(it.answers.map(({ error }) => error)).toEqual([null]);
  });

  test('a candidate that fails is ended, the old one goes on and the restart is answered with why', () => {
    const it = restarted([rolling()]);
    it.report('web/aside', 'process.spawned');
    it.report('web/aside', 'process.exited', { exit: { code: 3, signal: null } });
    it.report('web/aside', 'process.gone');
    expect(it.step('web')).toBe('inquiring');
    it.tasks[0]?.report({ type: 'task.done', addressInUse: false });
    expect([it.state('web'), it.step('web'), it.state('web/aside')]).toEqual(['running', 'none', 'absent']);
    expect(it.answers).toEqual([{ ticket: 7, unit: 'web', result: 'failed', error: 'process exited with status 3' }]);
    expect(it.effects.filter((effect) => effect.startsWith('SIGTERM'))).toEqual([]);
  });

  test('a candidate that ends while it is watched, or checked on the address that the old one serves, is asked for its last words', () => {
    for (const watched of [true, false]) {
      const it = restarted([rolling({ check })]);
      it.report('web/aside', 'process.spawned');
      it.elapse('web/aside');
      expect([it.step('web'), it.tasks]).toEqual(['starting', []]);
      if (!watched) it.elapse('web/rollout');
      it.go('web/aside', 1);
      expect([it.step('web'), it.tasks.map(({ input }) => input.task)]).toEqual(['inquiring', ['words']]);
      expect(it.state('web')).toBe('running');
    }
  });

  test('a candidate that ends cleanly has failed all the same, unless it is a one-shot', () => {
    const clean = (spec: ServiceSpec): World => {
      const it = restarted([spec]);
      it.report('web/aside', 'process.spawned');
      it.go('web/aside', 0);
      return it;
    };
    expect(clean(rolling({}, { restart: { mode: 'always' } })).step('web')).toBe('inquiring');
    const once = clean(rolling({}, { restart: { oneshot: true } }));
    expect([once.step('web'), once.effects.at(-1)]).toEqual(['retiring', 'SIGTERM web 1']);
  });

  test('a gate that fails ends the candidate', () => {
    const it = restarted([rolling({ check })]);
    comeAside(it);
    expect([it.step('web'), it.tasks[0]?.input.task]).toEqual(['checking', 'gate']);
    it.tasks[0]?.report({ type: 'task.failed', reason: 'no answer' });
    expect(it.effects.at(-1)).toBe('SIGTERM web 2');
    leaveAside(it);
    expect(it.answers).toEqual([{ ticket: 7, unit: 'web', result: 'failed', error: 'no answer' }]);
    expect(it.state('web')).toBe('running');
  });

  test('an address in use: the old one is stopped and the new one started', () => {
    const it = restarted([rolling()]);
    it.report('web/aside', 'process.spawned');
    it.report('web/aside', 'process.exited', { exit: { code: 1, signal: null } });
    it.report('web/aside', 'process.gone');
    it.tasks[0]?.report({ type: 'task.done', addressInUse: true });
    expect(it.answers).toEqual([]);
    expect(it.effects.at(-1)).toBe('SIGTERM web 1');
    it.go('web');
    it.come('web');
    expect(it.answers).toMatchObject([{ ticket: 7, unit: 'web', result: 'started', error: null, note: expect.stringContaining('address') }]);
  });

  test('a candidate with a new edge to a dependency that runs does not wait for it', () => {
    const needs = rolling({}, { name: 'web', dependsOn: [{ service: 'db', condition: 'started', onRestart: 'restart' }] });
    const it = restarted([rolling({}, { name: 'web' }), specOf({ name: 'db' })], { specs: [needs] });
    expect(it.effects).toEqual(['spawn web 2']);
    comeAside(it);
    leaveAside(it);
    expect(it.answers).toContainEqual({ ticket: 7, unit: 'web', result: 'started', error: null });
  });

  test('a candidate that waits in vain for a dependency fails at once, and the old one goes on', () => {
    const web = { name: 'web', dependsOn: [{ service: 'db', condition: 'started', onRestart: 'ignore' }] } as const;
    const it = restarted([specOf({ name: 'db', restart: { mode: 'never' } }), rolling({}, web)], { ticket: 8, units: ['db', 'web'] });
    it.go('db');
    expect([it.state('web/aside'), it.step('web')]).toEqual(['waiting', 'starting']);
    it.report('db', 'process.spawned');
    it.go('db', 3);
    const error = "dependency 'db' failed (exit 3)";
    const endInquiry = () => it.tasks[0]?.report({ type: 'task.failed' });
    endInquiry();
    expect(it.answers).toContainEqual({ ticket: 8, unit: 'web', result: 'failed', error });
    expect([it.state('web'), it.step('web')]).toEqual(['running', 'none']);
    it.send({ type: 'restart', ticket: 9, units: ['web'], specs: null });
    endInquiry();
    expect(it.answers).toContainEqual({ ticket: 9, unit: 'web', result: 'failed', error });
    expect([it.state('web'), it.step('web')]).toEqual(['running', 'none']);
  });

  test('dependents are not told of a replacement', () => {
    const app = specOf({ name: 'app', dependsOn: [{ service: 'web', condition: 'started', onRestart: 'restart' }] });
    const it = restarted([rolling(), app]);
    comeAside(it);
    leaveAside(it);
    expect(it.effects).toEqual(['spawn web 2', 'SIGTERM web 1']);
    expect(it.state('app')).toBe('running');
  });

  test('the old instance dies meanwhile: it is not started again, and the candidate takes its place', () => {
    const it = restarted([rolling({ check })]);
    comeAside(it);
    it.go('web', 1);
    if (it.state('web') === 'backoff') it.elapse('web');
    expect(it.state('web')).toBe('waiting');
    it.tasks[0]?.report({ type: 'task.done' });
    expect([it.state('web'), it.step('web')]).toEqual(['running', 'none']);
    expect(it.effects).toEqual(['spawn web 2', 'gate web', 'clear web 1']);
    expect(it.answers.map(({ error }) => error)).toEqual([null]);
  });

  test('both die: the unit comes back by its restart policy', () => {
    const it = restarted([rolling({ check })]);
    comeAside(it);
    it.go('web', 1);
    it.go('web/aside', 1);
    it.tasks[0]?.report({ type: 'task.done', addressInUse: false });
    expect(it.step('web')).toBe('none');
    expect(it.state('web')).toBe('backoff');
    it.elapse('web');
    it.come('web');
    expect(it.state('web')).toBe('running');
  });

  test('stop ends both, and is answered when both are gone', () => {
    const it = restarted([rolling({ check })]);
    comeAside(it);
    it.send({ type: 'stop', ticket: 8, units: ['web'] });
    expect(it.effects.slice(-2).sort()).toEqual(['SIGTERM web 1', 'SIGTERM web 2']);
    it.go('web');
    expect([it.state('web'), it.answers.filter(({ ticket }) => ticket === 8)]).toEqual(['stopped', []]);
    leaveAside(it);
    expect(it.state('web')).toBe('stopped');
    expect(it.answers).toMatchObject([{ ticket: 7, error: 'superseded by stop' }, { ticket: 8, result: 'stopped', error: null }]);
    expect([...it.records.keys()]).toEqual(['web']);
  });

  test('stop while the old one retires ends both as well', () => {
    const it = restarted([rolling({ gracePeriodMs: 5000 })]);
    comeAside(it);
    it.send({ type: 'stop', ticket: 8, units: ['web'] });
    leaveAside(it);
    expect(it.answers.filter(({ ticket }) => ticket === 8)).toEqual([]);
    it.go('web');
    expect(it.state('web')).toBe('stopped');
    expect(it.answers.find(({ ticket }) => ticket === 8)?.result).toBe('stopped');
  });

  test('shutdown waits for both', () => {
    const it = restarted([rolling({ check })]);
    comeAside(it);
    it.send({ type: 'shutdown', ticket: 9, exitCode: 0 });
    it.go('web');
    expect(hasEnded(it.root.getSnapshot())).toBe(false);
    leaveAside(it);
    expect(hasEnded(it.root.getSnapshot())).toBe(true);
  });

  test('a second restart ends the candidate and begins again with the newest definition, and answers both', () => {
    const it = restarted([rolling({ check })]);
    comeAside(it);
    const newest = rolling({ check }, { definition: { process: 'p9', policy: 'q1' }, command: 'newest' });
    it.send({ type: 'restart', ticket: 8, units: ['web'], specs: [newest] });
    expect(it.effects.at(-1)).toBe('SIGTERM web 2');
    leaveAside(it);
    expect(it.step('web')).toBe('starting');
    comeAside(it);
    it.tasks[0]?.report({ type: 'task.done' });
    leaveAside(it);
    expect(it.answers).toMatchObject([{ ticket: 7, result: 'started', error: null }, { ticket: 8, result: 'started' }]);
    expect(it.records.get('web')?.definition.process).toBe('p9');
  });

  test('of restarts and starts that come while one goes on each is answered by the last: well, or with why not', () => {
    for (const code of [0, 3]) {
      const it = restarted([rolling()]);
      it.report('web/aside', 'process.spawned');
      it.send({ type: 'restart', ticket: 8, units: ['web'], specs: null });
      it.send({ type: 'start', ticket: 9, units: ['web'] });
      it.send({ type: 'restart', ticket: 10, units: ['web'], specs: null });
      expect(it.answers).toEqual([]);
      leaveAside(it);
      expect(it.step('web')).toBe('starting');
      if (code === 0) {
        comeAside(it);
        leaveAside(it);
      } else {
        it.report('web/aside', 'process.spawned');
        it.go('web/aside', code);
        it.tasks[0]?.report({ type: 'task.done', addressInUse: false });
      }
      const error = code === 0 ? null : 'process exited with status 3';
      expect(it.answers.map((answer) => [answer.ticket, answer.error]).sort()).toEqual([[10, error], [7, error], [8, error], [9, error]]);
      expect(it.root.getSnapshot().context.operations.size).toBe(0);
    }
  });

  test('a stop takes the place of a restart, also where another restart follows it', () => {
    const it = restarted([rolling({ check })]);
    comeAside(it);
    it.send({ type: 'stop', ticket: 8, units: ['web'] });
    it.send({ type: 'restart', ticket: 9, units: ['web'], specs: null });
    it.go('web');
    leaveAside(it);
    expect(it.answers).toMatchObject([{ ticket: 7, error: 'superseded by stop' }, { ticket: 8, result: 'stopped' }]);
    it.come('web');
    expect(it.answers[2]).toMatchObject({ ticket: 9, result: 'started', error: null });
  });

  test('a reload changes what a restart leads to, and does not call it off', () => {
    for (const deploy of [rolling, (_: object, spec: Parameters<typeof specOf>[0]) => specOf(spec)]) {
      const it = restarted([rolling({ check })]);
      comeAside(it);
      it.send({ type: 'reload', specs: [deploy({ check }, { definition: { process: 'p1', policy: 'q2' } })] });
      expect(it.answers).toEqual([]);
      leaveAside(it);
      if (deploy === rolling) {
        comeAside(it);
        it.tasks[0]?.report({ type: 'task.done' });
        leaveAside(it);
      } else {
        it.go('web');
        it.come('web');
      }
      expect(it.answers).toEqual([{ ticket: 7, unit: 'web', result: 'started', error: null }]);
      expect([it.records.get('web')?.definition.policy, it.records.get('web')?.generation]).toEqual(['q2', 2]);
    }
  });

  test('a dependency that is restarted takes the unit down: it comes back with what it was to be replaced by, and the restart is answered', () => {
    const web = { dependsOn: [{ service: 'db', condition: 'started', onRestart: 'restart' }], definition: { process: 'p2', policy: 'q1' } } as const;
    const it = world([specOf({ name: 'db' }), rolling({ check }, { ...web, definition: { process: 'p1', policy: 'q1' } })]);
    it.send({ type: 'start', units: ['db', 'web'] });
    it.come('db');
    it.come('web');
    it.send({ type: 'restart', ticket: 7, units: ['web'], specs: [rolling({ check }, web)] });
    comeAside(it);
    it.send({ type: 'restart', ticket: 8, units: ['db'], specs: null });
    expect(it.effects.slice(-3).sort()).toEqual(['SIGTERM db 1', 'SIGTERM web 1', 'SIGTERM web 2']);
    leaveAside(it);
    it.go('web');
    it.go('db');
    expect([it.state('web'), it.answers]).toEqual(['waiting', []]);
    it.come('db');
    it.come('web');
    expect(it.answers.map(({ ticket, unit, error }) => [ticket, unit, error])).toEqual([[8, 'db', null], [7, 'web', null]]);
    expect(it.records.get('web')?.definition.process).toBe('p2');
  });

  test('what needs another one completed does not restart with it, whatever its edge says, and is replaced in a restart of both', () => {
    const web = rolling({}, { dependsOn: [{ service: 'migrate', condition: 'completed', onRestart: 'restart' }] });
    const it = world([specOf({ name: 'migrate', restart: { oneshot: true } }), web], { start: ['migrate', 'web'] });
    it.come('migrate');
    it.go('migrate');
    it.come('web');
    it.send({ type: 'restart', units: ['migrate', 'web'], specs: null });
    expect(it.effects).not.toContain('SIGTERM web 1');
    expect(it.step('web')).toBe('starting');
  });

  test('a reload with another process definition replaces; with the same one it leaves the rollout alone', () => {
    const it = world([rolling()]);
    it.send({ type: 'start', units: ['web'] });
    it.come('web');
    const next = rolling({}, { definition: { process: 'p2', policy: 'q1' } });
    it.send({ type: 'reload', specs: [next] });
    it.send({ type: 'reload', specs: [next] });
    expect(it.effects.filter((effect) => effect.startsWith('spawn'))).toEqual(['spawn web 1', 'spawn web 2']);
    comeAside(it);
    leaveAside(it);
    expect(it.records.get('web')?.definition.process).toBe('p2');
  });

  test('a reload back to what runs calls the rollout off', () => {
    const it = world([rolling({ check })]);
    it.send({ type: 'start', units: ['web'] });
    it.come('web');
    it.send({ type: 'reload', specs: [rolling({ check }, { definition: { process: 'p2', policy: 'q1' } })] });
    comeAside(it);
    it.send({ type: 'reload', specs: [rolling({ check })] });
    expect(it.effects.at(-1)).toBe('SIGTERM web 2');
    leaveAside(it);
    expect([it.state('web'), it.step('web')]).toEqual(['running', 'none']);
  });

  test('a unit that is removed meanwhile ends with its candidate', () => {
    const it = restarted([rolling({ check })]);
    comeAside(it);
    it.send({ type: 'reload', specs: [] });
    it.go('web');
    leaveAside(it);
    expect([it.state('web'), it.records.size]).toEqual(['absent', 0]);
  });

  test('whoever waits for a further restart of a unit that is removed meanwhile is answered', () => {
    const it = restarted([rolling()]);
    it.report('web/aside', 'process.spawned');
    it.send({ type: 'restart', ticket: 8, units: ['web'], specs: null });
    it.send({ type: 'reload', specs: [] });
    it.go('web');
    leaveAside(it);
    expect(it.answers.map(({ ticket, error }) => [ticket, error])).toEqual([[8, 'removed from the configuration'], [7, 'removed from the configuration']]);
  });

  test('a unit that is removed while it has no process is gone when its candidate is, and comes back after that', () => {
    const it = restarted([rolling({ check })]);
    comeAside(it);
    it.go('web', 1);
    it.send({ type: 'reload', specs: [] });
    expect(it.state('web')).toBe('absent');
    it.send({ type: 'reload', specs: [rolling({ check })] });
    expect(it.effects.filter((effect) => effect.startsWith('spawn'))).toEqual(['spawn web 2']);
    leaveAside(it);
    expect([it.state('web'), it.effects.at(-1)]).toEqual(['spawning', 'spawn web 1']);
  });

  test('the successor dies in the grace period: the old one is the unit again', () => {
    const it = restarted([rolling({ gracePeriodMs: 5000 })]);
    comeAside(it);
    it.report('web', 'process.exited', { exit: { code: 1, signal: null } });
    expect([it.state('web'), it.state('web/aside')]).toEqual(['running', 'clearing']);
    it.report('web/aside', 'process.gone');
    expect([it.state('web'), it.step('web')]).toEqual(['running', 'none']);
    expect(it.answers[0]?.error).toContain('exited with status 1');
    expect(it.records.get('web')).toMatchObject({ generation: 1, wanted: 'up', state: 'running' });
  });

  test('a unit that does not run restarts in the plain way', () => {
    const it = world([rolling()]);
    it.send({ type: 'start', units: ['web'] });
    it.report('web', 'process.spawned');
    it.send({ type: 'restart', ticket: 7, units: ['web'], specs: null });
    expect(it.step('web')).toBe('none');
    expect(it.effects).toEqual(['spawn web 1', 'SIGTERM web 1']);
  });

  test('a unit that goes down with its dependency is not replaced beside itself', () => {
    const db = specOf({ name: 'db' });
    const web = rolling({}, { dependsOn: [{ service: 'db', condition: 'started', onRestart: 'restart' }] });
    const it = world([db, web]);
    it.send({ type: 'start', units: ['db', 'web'] });
    it.come('db');
    it.come('web');
    it.effects.length = 0;
    it.send({ type: 'restart', ticket: 7, units: ['db', 'web'], specs: null });
    expect(it.effects).toEqual(['SIGTERM web 1']);
  });
});

describe('blue-green', () => {
  test('gate, switch, verify, record; then the old one retires', () => {
    const it = restarted([rolling({ blueGreen })]);
    comeAside(it);
    const told = () => [it.step('web'), it.tasks[0]?.input.task];
    expect(told()).toEqual(['checking', 'gate']);
    expect(it.tasks[0]?.input.spec.env).toEqual({ PORT: '4001' });
    it.tasks[0]?.report({ type: 'task.done' });
    expect(told()).toEqual(['switching', 'switch']);
    expect(it.switches.get('web')).toMatchObject({ generation: 2, slots: { from: 0, to: 1 } });
    it.tasks[0]?.report({ type: 'task.done' });
    expect(told()).toEqual(['verifying', 'verify']);
    it.tasks[0]?.report({ type: 'task.done' });
    expect(told()).toEqual(['recording', 'record']);
    it.tasks[0]?.report({ type: 'task.done' });
    expect([it.step('web'), it.switches.size]).toEqual(['retiring', 0]);
    leaveAside(it);
    expect(it.root.getSnapshot().context.slots.get('web')).toBe(1);
    it.effects.length = 0;
    it.go('web', 1);
    it.elapse('web');
    expect(it.root.getSnapshot().context.units.get('web')?.ref?.getSnapshot().context.spec.env).toEqual({ PORT: '4001' });
  });

  test('the first start has the first slot, or the one that is known', () => {
    const it = world([rolling({ blueGreen })]);
    expect(it.root.getSnapshot().context.units.get('web')?.ref?.getSnapshot().context.spec.env).toEqual({ PORT: '4000' });
  });

  test('a switch command that fails may have moved traffic all the same: it is switched back, and everything is as it was', () => {
    const it = restarted([rolling({ blueGreen })]);
    comeAside(it);
    it.tasks[0]?.report({ type: 'task.done' });
    it.tasks[0]?.report({ type: 'task.failed', reason: 'blue/green switch command failed: no' });
    expect([it.step('web'), it.switches.size]).toEqual(['switching-back', 1]);
    it.tasks[0]?.report({ type: 'task.done' });
    expect([it.step('web'), it.switches.size]).toEqual(['ending', 0]);
    leaveAside(it);
    expect(it.answers[0]?.error).toBe('blue/green switch command failed: no');
    expect(it.root.getSnapshot().context.slots.get('web')).toBeUndefined();
  });

  test('a switch back that fails is said beside what failed before', () => {
    const it = restarted([rolling({ blueGreen })]);
    comeAside(it);
    it.tasks[0]?.report({ type: 'task.done' });
    it.tasks[0]?.report({ type: 'task.failed', reason: 'refused' });
    it.tasks[0]?.report({ type: 'task.failed', reason: 'refused too' });
    leaveAside(it);
    expect(it.answers[0]?.error).toBe('refused; and it could not be switched back: refused too');
    const left = world([rolling({ blueGreen })], { switches: [{ unit: 'web', generation: 2, slots: { from: 0, to: 1 } }] });
    left.tasks[0]?.report({ type: 'task.failed', reason: 'no' });
    expect(left.facts.findLast(({ type }) => type === 'rollout.changed')).toMatchObject({ facts: { step: 'done', reason: 'it could not be switched back: no' } });
  });

  test.each(['verifying', 'recording'])('a failure while %s is switched back first', (step) => {
    const it = restarted([rolling({ blueGreen })]);
    comeAside(it);
    while (it.step('web') !== step) it.tasks[0]?.report({ type: 'task.done' });
    it.tasks[0]?.report({ type: 'task.failed', reason: 'refused' });
    expect([it.step('web'), it.tasks[0]?.input.task, it.state('web/aside')]).toEqual(['switching-back', 'switch-back', 'running']);
    it.tasks[0]?.report({ type: 'task.done' });
    leaveAside(it);
    expect([it.state('web'), it.answers[0]?.error, it.switches.size]).toEqual(['running', 'refused', 0]);
  });

  test('the successor dies in the grace period: the switch is open again until it is taken back', () => {
    const it = restarted([rolling({ blueGreen, gracePeriodMs: 5000 })]);
    comeAside(it);
    while (it.step('web') !== 'grace') it.tasks[0]?.report({ type: 'task.done' });
    it.report('web', 'process.exited', { exit: { code: 1, signal: null } });
    expect([it.step('web'), it.switches.get('web')]).toEqual(['switching-back', { unit: 'web', generation: 2, slots: { from: 0, to: 1 } }]);
    it.tasks[0]?.report({ type: 'task.done' });
    it.report('web/aside', 'process.gone');
    expect([it.step('web'), it.switches.size, it.root.getSnapshot().context.slots.get('web')]).toEqual(['none', 0, 0]);
  });

  describe('a switch back that hangs', () => {
    const slow = { deployment: { ...deployment, blueGreen }, stopTimeoutMs: 5000 };

    function hanging(): World {
      const it = restarted([specOf(slow)]);
      comeAside(it);
      it.tasks[0]?.report({ type: 'task.done' });
      it.tasks[0]?.report({ type: 'task.failed', reason: 'no' });
      expect([it.step('web'), it.tasks[0]?.input.task]).toEqual(['switching-back', 'switch-back']);
      return it;
    }

    function down(it: World): void {
      it.report('web', 'process.exited', { exit: { code: 0, signal: null } });
      it.report('web', 'process.gone');
      leaveAside(it);
    }

    test('holds a stop for stop_timeout and no longer; the next start switches back first', () => {
      const it = hanging();
      it.send({ type: 'stop', units: ['web'], ticket: 8 });
      const stoppedAt = it.now();
      expect(it.elapse('web/rollout')).toBe('rollout');
      expect(it.now() - stoppedAt).toBe(5000);
      expect([it.step('web'), it.tasks.length, it.switches.size]).toEqual(['ending', 0, 1]);
      down(it);
      expect(it.answers.find(({ ticket }) => ticket === 8)).toEqual({ ticket: 8, unit: 'web', result: 'stopped', error: null });
      it.send({ type: 'start', units: ['web'], ticket: 9 });
      expect([it.step('web'), it.tasks[0]?.input.task, it.tasks[0]?.input.slots]).toEqual(['switching-back', 'switch-back', { from: 0, to: 1 }]);
      // Of no candidate any more: the processes to come are the unit's own.
      expect(it.switches.get('web')?.generation).toBe(0);
      it.come('web');
      it.tasks[0]?.report({ type: 'task.done' });
      expect([it.step('web'), it.state('web'), it.switches.size]).toEqual(['none', 'running', 0]);
    });

    test('is ended at once when a shutdown is hurried, and left open for the next supervisor', () => {
      const it = hanging();
      it.send({ type: 'shutdown', exitCode: 0 });
      it.send({ type: 'hurry' });
      it.elapse('web/rollout');
      down(it);
      expect([hasEnded(it.root.getSnapshot()), it.switches.size]).toEqual([true, 1]);
    });

    test('is not limited for a restart, which waits for the slots to be as they were', () => {
      const it = hanging();
      it.send({ type: 'restart', ticket: 8, units: ['web'], specs: null });
      expect(() => it.elapse('web/rollout')).toThrow();
      expect(it.step('web')).toBe('switching-back');
    });
  });

  test('a switch that another supervisor left open is undone at boot', () => {
    const it = world([rolling({ blueGreen })], { switches: [{ unit: 'web', generation: 2, slots: { from: 1, to: 0 } }] });
    expect([it.step('web'), it.tasks[0]?.input.task]).toEqual(['switching-back', 'switch-back']);
    it.tasks[0]?.report({ type: 'task.done' });
    expect([it.step('web'), it.root.getSnapshot().context.slots.get('web')]).toEqual(['none', 1]);
  });
});

test('the actor of the candidate throws: another one takes its process over to end it, and the old instance goes on', () => {
  const it = restarted([rolling()]);
  it.report('web/aside', 'process.spawned');
  it.effects.length = 0;
  it.root.getSnapshot().context.rollouts.get('web')?.aside.ref?.send({ type: 'process.exited', generation: 2, at: 1, get exit(): never { throw new Error('planted'); } } as never);
  const [lookup = ''] = it.lookups;
  it.send({ type: 'recovered', unit: lookup, adopt: { record: it.records.get(lookup), verdict: 'alive' } });
  expect(it.effects).toEqual(['adopt web 2', 'SIGTERM web 2']);
  leaveAside(it);
  expect([it.state('web'), it.step('web'), it.root.getSnapshot().context.units.get('web')?.facts.generation]).toEqual(['running', 'none', 1]);
  expect(it.answers).toMatchObject([{ ticket: 7, result: 'failed' }]);
});

describe('the actor of a rollout throws', () => {
  function fail(it: World): void {
    it.root.getSnapshot().context.rollouts.get('web')?.ref?.send({ type: 'instance.changed', at: 1, get facts(): never { throw new Error('planted'); } } as never);
  }

  test('before the candidate serves: the candidate is ended, the old instance goes on, and the restart has failed', () => {
    const it = restarted([rolling()]);
    it.report('web/aside', 'process.spawned');
    it.effects.length = 0;
    fail(it);
    expect(it.answers).toEqual([{ ticket: 7, unit: 'web', result: 'failed', error: 'the supervisor failed while it looked after the unit' }]);
    expect(it.effects).toEqual(['SIGTERM web 2']);
    leaveAside(it);
    expect([it.state('web'), it.step('web'), it.root.getSnapshot().context.units.get('web')?.facts.generation]).toEqual(['running', 'none', 1]);
  });

  test('when the candidate has become the unit: the old instance is ended all the same', () => {
    const it = restarted([rolling({ gracePeriodMs: 5000 })]);
    comeAside(it);
    it.effects.length = 0;
    fail(it);
    expect(it.effects).toEqual(['SIGTERM web 1']);
    leaveAside(it);
    expect([it.state('web'), it.step('web'), it.root.getSnapshot().context.units.get('web')?.facts.generation]).toEqual(['running', 'none', 2]);
  });
});
