import { describe, expect, test } from 'vitest';
import type { HealthCheck } from '../../machines/types.ts';
import { identityOf, rig, specOf } from './rig.ts';

const CLEAN = { exit: { code: 0, signal: null } };
const CRASH = { exit: { code: 3, signal: null } };
const KILLED = { exit: { code: null, signal: 'SIGKILL' } };
const CHECK: HealthCheck = {
  probe: { kind: 'command', command: 'true' }, intervalMs: 2000, timeoutMs: 30_000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart',
};

describe('from stopped to running', () => {
  test('start: intent in the ledger before the spawn, identity after it, running 50 ms after the exec', () => {
    const { send, report, elapse, deadlineIn, records, effects, answers, state } = rig();
    send({ type: 'start', ticket: 1 });
    expect(state()).toBe('spawning');
    expect(records.at(-1)).toMatchObject({ state: 'spawning', generation: 1, wanted: 'up', process: { token: 'seed.1.1', identity: null } });
    expect(effects).toEqual(['spawn 1']);
    report('process.spawned', { identity: identityOf(7) });
    expect(records.at(-1)).toMatchObject({ state: 'starting', process: { identity: { pid: 7 } } });
    expect(deadlineIn()).toBe(50);
    expect(answers).toEqual([]);
    expect(elapse()).toBe('alive');
    expect(state()).toBe('running');
    expect(answers).toEqual([{ ticket: 1, unit: 'web', result: 'started', error: null }]);
  });

  test('start of a running unit is answered at once and starts nothing', () => {
    const { run, send, answers, effects } = rig();
    run();
    send({ type: 'start', ticket: 2 });
    expect(answers.at(-1)).toMatchObject({ ticket: 2, result: 'already-running' });
    expect(effects).toEqual(['spawn 1']);
  });

  test('with a check the unit runs when the probe says so, and is ready', () => {
    const { send, report, effects, facts, state, actor } = rig(specOf({ check: CHECK }));
    send({ type: 'start', ticket: 1 });
    report('process.spawned');
    expect(state()).toBe('starting');
    expect(effects).toEqual(['spawn 1', 'watch 1']);
    report('probe.ok');
    expect(state()).toBe('running');
    expect(facts.at(-1)).toMatchObject({ facts: { ready: true } });
    expect(actor.getSnapshot().context.ready).toBe(true);
  });

  test('not ready in time: ended, a failure, and the start is answered with the reason', () => {
    const { send, report, effects, answers, state } = rig(specOf({ check: CHECK }));
    send({ type: 'start', ticket: 1 });
    report('process.spawned');
    report('probe.timeout', { reason: 'not ready within 30s' });
    expect(state()).toBe('stopping');
    expect(effects).toEqual(['spawn 1', 'watch 1', 'unwatch 1', 'SIGTERM 1']);
    report('process.exited', CLEAN);
    report('process.gone');
    expect(state()).toBe('backoff');
    expect(answers).toEqual([{ ticket: 1, unit: 'web', result: 'failed', error: 'not ready within 30s' }]);
  });

  test('a program that cannot be started is a failure whose backoff is never shorter than 1 s', () => {
    const { send, report, answers, state, deadlineIn } = rig(specOf({ restart: { backoff: { initialMs: 10, maxMs: 10, factor: 1, jitter: 0 } } }));
    send({ type: 'start', ticket: 1 });
    report('process.refused', { reason: "program 'nope' not found" });
    expect(state()).toBe('backoff');
    expect(deadlineIn()).toBe(1000);
    expect(answers).toEqual([{ ticket: 1, unit: 'web', result: 'failed', error: "program 'nope' not found" }]);
  });

  test('a one-shot that ends cleanly inside the first moment is completed, and the start succeeded', () => {
    const { send, report, answers, state, actor } = rig(specOf({ restart: { oneshot: true, mode: 'always' } }));
    send({ type: 'start', ticket: 1 });
    report('process.spawned');
    report('process.exited', CLEAN);
    report('process.gone');
    expect(state()).toBe('stopped');
    expect(actor.getSnapshot().context.outcome).toBe('completed');
    expect(answers).toEqual([{ ticket: 1, unit: 'web', result: 'completed', error: null }]);
  });

  test('the reason names what a process left running at its own end, a clean one too, until the next process is ready', () => {
    const { send, report, state, actor, elapse } = rig(specOf({ restart: { mode: 'on-failure' } }));
    const reason = () => actor.getSnapshot().context.reason;
    send({ type: 'start' });
    report('process.spawned');
    report('process.exited', CLEAN);
    report('process.gone', { left: ['"sleep 9" (pid 8)'] });
    expect(reason()).toMatch(/^process exited with status 0 and left "sleep 9" \(pid 8\) running, which was ended; a program has to stay in the foreground/);
    send({ type: 'start' });
    report('process.spawned');
    report('process.exited', { exit: { code: 3, signal: null } });
    report('process.gone', { left: ['"sleep 9" (pid 8)'] });
    expect([state(), reason()]).toEqual(['backoff', 'process exited with status 3 and left "sleep 9" (pid 8) running, which was ended']);
    elapse();
    report('process.spawned');
    elapse();
    expect([state(), reason()]).toEqual(['running', null]);
  });
});

describe('before the start', () => {
  test('the flag skip: nothing runs, the start succeeded', () => {
    const { send, effects, answers, actor } = rig(specOf({ skip: true }));
    send({ type: 'start', ticket: 1 });
    expect(effects).toEqual([]);
    expect(actor.getSnapshot().context).toMatchObject({ outcome: 'skipped', wanted: 'up' });
    expect(answers).toEqual([{ ticket: 1, unit: 'web', result: 'skipped', error: null }]);
  });

  test('a skip command that succeeds skips; one that fails lets pre_start and the service run, each once', () => {
    const yes = rig(specOf({ skip: 'test -f x' }));
    yes.send({ type: 'start' });
    yes.report('process.spawned');
    yes.report('process.exited', CLEAN);
    expect(yes.state()).toBe('preparing');
    yes.report('process.gone');
    expect(yes.actor.getSnapshot().context).toMatchObject({ outcome: 'skipped', process: null });

    const no = rig(specOf({ skip: 'test -f x', preStart: 'prepare' }));
    no.send({ type: 'start' });
    no.report('process.spawned');
    no.report('process.exited', CRASH);
    no.report('process.gone');
    no.report('process.spawned');
    no.report('process.exited', CLEAN);
    no.report('process.gone');
    expect(no.effects).toEqual(['spawn skip 1', 'clear skip 1', 'spawn pre_start 1', 'clear pre_start 1', 'spawn 1']);
    expect(no.inputs.map(({ token }) => token)).toEqual(['seed.1.1.skip', 'seed.1.1.pre_start', 'seed.1.1']);
    no.report('process.spawned');
    no.elapse();
    expect(no.state()).toBe('running');
  });

  test('a pre_start that fails is a failure to start, and its exit is the last exit of the unit', () => {
    const { send, report, state, answers, actor } = rig(specOf({ preStart: 'prepare' }));
    send({ type: 'start', ticket: 1 });
    report('process.spawned');
    report('process.exited', CRASH);
    report('process.gone');
    expect(state()).toBe('backoff');
    expect(answers[0]).toMatchObject({ result: 'failed', error: 'pre_start exited with status 3' });
    expect(actor.getSnapshot().context.exit).toEqual({ code: 3, signal: null });
  });

  test('a pre_start that is ended by a stop is no end of the unit', () => {
    const { send, report, state, actor } = rig(specOf({ preStart: 'prepare' }));
    send({ type: 'start', ticket: 1 });
    report('process.spawned');
    send({ type: 'stop', ticket: 2 });
    report('process.exited', { exit: { code: null, signal: 'SIGTERM' } });
    report('process.gone');
    expect([state(), actor.getSnapshot().context.exit]).toEqual(['stopped', null]);
  });

  test('the exit codes that forbid a restart count for a preparation too', () => {
    const { send, report, state } = rig(specOf({ preStart: 'prepare', restart: { noRestartExitCodes: [78] } }));
    send({ type: 'start', ticket: 1 });
    report('process.spawned');
    report('process.exited', { exit: { code: 78, signal: null } });
    report('process.gone');
    expect(state()).toBe('failed');
  });

  test.each([[0, [5]], [5, [0, 5]]])('a pre_start that exits with %i has succeeded when %j are the successful exit codes', (code, successExitCodes) => {
    const { effects, send, report } = rig(specOf({ preStart: 'make', restart: { successExitCodes } }));
    send({ type: 'start' });
    report('process.spawned');
    report('process.exited', { exit: { code, signal: null } });
    report('process.gone');
    expect(effects.at(-1)).toBe('spawn 1');
  });

  test('a pre_start that takes too long is ended and the start has failed', () => {
    const { send, report, elapse, state, effects, answers, deadlineIn } = rig(specOf({ preStart: 'prepare', restart: { mode: 'never' } }));
    send({ type: 'start', ticket: 1 });
    report('process.spawned');
    expect(deadlineIn()).toBe(600_000);
    expect(elapse()).toBe('task');
    expect(effects).toEqual(['spawn pre_start 1', 'SIGTERM pre_start 1']);
    report('process.exited', KILLED);
    report('process.gone');
    expect(state()).toBe('failed');
    expect(answers[0]?.error).toBe('pre_start took longer than 600 s');
  });

  test('what a preparation leaves behind is ended before the service starts', () => {
    const { send, report, elapse, effects } = rig(specOf({ preStart: 'prepare' }));
    send({ type: 'start' });
    report('process.spawned');
    report('process.exited', CLEAN);
    expect(elapse()).toBe('grace');
    expect(elapse()).toBe('kill');
    expect(effects).toEqual(['spawn pre_start 1', 'clear pre_start 1', 'kill pre_start 1', 'kill pre_start 1']);
    report('process.gone');
    expect(effects.at(-1)).toBe('spawn 1');
  });
});

describe('dependencies', () => {
  test('waits until the last one is released', () => {
    const { send, state, effects } = rig(specOf(), { held: ['db', 'cache'] });
    send({ type: 'start' });
    send({ type: 'release', dependency: 'db' });
    expect(state()).toBe('waiting');
    expect(effects).toEqual([]);
    send({ type: 'release', dependency: 'cache' });
    expect(state()).toBe('spawning');
  });

  test('a dependency that is lost answers the start, and the unit goes on waiting', () => {
    const { send, state, answers } = rig(specOf(), { held: ['db'] });
    send({ type: 'start', ticket: 1 });
    send({ type: 'hold', dependency: 'db', lost: "dependency 'db' failed" });
    expect(answers).toEqual([{ ticket: 1, unit: 'web', result: 'failed', error: "dependency 'db' failed" }]);
    expect(state()).toBe('waiting');
    send({ type: 'release', dependency: 'db' });
    expect(state()).toBe('spawning');
  });

  test('a hold that stops ends a running unit, which stays wanted and comes back on release', () => {
    const { run, send, report, state, effects, actor } = rig();
    run();
    send({ type: 'hold', dependency: 'db', stops: true });
    expect(state()).toBe('stopping');
    expect(actor.getSnapshot().context.wanted).toBe('up');
    report('process.exited', CLEAN);
    report('process.gone');
    expect(state()).toBe('waiting');
    send({ type: 'release', dependency: 'db' });
    expect(effects).toEqual(['spawn 1', 'SIGTERM 1', 'spawn 2']);
  });

  test('a hold that does not stop lets it run, and its next start waits', () => {
    const { run, send, report, elapse, state } = rig();
    run();
    send({ type: 'hold', dependency: 'db' });
    expect(state()).toBe('running');
    report('process.exited', CRASH);
    report('process.gone');
    elapse();
    expect(state()).toBe('waiting');
  });
});

describe('the end of a process', () => {
  test('only gone leaves the states that own a process', () => {
    const { run, report, state, effects } = rig();
    run();
    report('process.exited', CRASH);
    expect(state()).toBe('clearing');
    expect(effects).toEqual(['spawn 1', 'clear 1']);
    report('process.gone');
    expect(state()).toBe('backoff');
  });

  test('leftovers that ignore the signal are killed after the grace', () => {
    const { run, report, elapse, effects, deadlineIn } = rig(specOf({ stopTimeoutMs: 4000 }));
    run();
    report('process.exited', CRASH);
    expect(deadlineIn()).toBe(4000);
    expect(elapse()).toBe('grace');
    expect(effects).toEqual(['spawn 1', 'clear 1', 'kill 1']);
  });

  test('crashes back off exponentially up to the cap, and the deadline is in the ledger', () => {
    const { run, report, elapse, deadlineIn, records, now } = rig(specOf({ restart: { backoff: { initialMs: 1000, maxMs: 5000, factor: 2, jitter: 0 } } }));
    run();
    const waits: (number | null)[] = [];
    for (let crash = 0; crash < 5; crash += 1) {
      report('process.exited', CRASH);
      report('process.gone');
      waits.push(deadlineIn());
      expect(records.at(-1)).toMatchObject({ state: 'backoff', deadline: { kind: 'backoff', at: now() + (deadlineIn() ?? 0) } });
      elapse();
      report('process.spawned');
    }
    expect(waits).toEqual([1000, 2000, 4000, 5000, 5000]);
  });

  test('jitter spreads the backoff by its share and is reproducible', () => {
    const wait = (): number | null => {
      const unit = rig(specOf({ restart: { backoff: { initialMs: 1000, maxMs: 60_000, factor: 2, jitter: 0.5 } } }));
      unit.run();
      unit.report('process.exited', CRASH);
      unit.report('process.gone');
      return unit.deadlineIn();
    };
    expect(wait()).toBe(wait());
    expect(wait()).not.toBe(1000);
    expect(wait()).toBeGreaterThanOrEqual(500);
    expect(wait()).toBeLessThanOrEqual(1500);
  });

  test('max_restarts: 2 means two restarts, then failed; a start begins anew', () => {
    const { run, report, elapse, state, send, effects, actor } = rig(specOf({ restart: { maxRestarts: 2 } }));
    run();
    for (let crash = 0; crash < 2; crash += 1) {
      report('process.exited', CRASH);
      report('process.gone');
      expect(state()).toBe('backoff');
      elapse();
      report('process.spawned');
    }
    expect(actor.getSnapshot().context.restarts).toBe(2);
    report('process.exited', CRASH);
    report('process.gone');
    expect(state()).toBe('failed');
    expect(effects.filter((effect) => effect.startsWith('spawn'))).toHaveLength(3);
    send({ type: 'start' });
    expect(state()).toBe('spawning');
    expect(actor.getSnapshot().context).toMatchObject({ streak: 0, restarts: 0 });
  });

  test('with a window only the failures inside it count', () => {
    const { run, report, elapse, state, advance } = rig(specOf({ restart: { maxRestarts: 1, windowMs: 60_000 } }));
    run();
    const crash = (): void => {
      report('process.exited', CRASH);
      report('process.gone');
    };
    crash();
    elapse();
    report('process.spawned');
    elapse();
    advance(60_000);
    crash();
    expect(state()).toBe('backoff');
    elapse();
    report('process.spawned');
    crash();
    expect(state()).toBe('failed');
  });

  test('running long enough forgives', () => {
    const { run, report, elapse, actor } = rig(specOf({ restart: { maxRestarts: 1 } }));
    run();
    for (let crash = 0; crash < 3; crash += 1) {
      report('process.exited', CRASH);
      report('process.gone');
      elapse();
      report('process.spawned');
      expect(elapse()).toBe('alive');
      expect(elapse()).toBe('stable');
      expect(actor.getSnapshot().context.streak).toBe(0);
    }
  });

  test('a clean exit rests, except under always, where it waits the initial backoff and counts as no failure', () => {
    const rests = rig();
    rests.run();
    rests.report('process.exited', CLEAN);
    rests.report('process.gone');
    expect(rests.actor.getSnapshot().context).toMatchObject({ outcome: 'completed', wanted: 'up' });

    const again = rig(specOf({ restart: { mode: 'always', maxRestarts: 0 } }));
    again.run();
    again.report('process.exited', CLEAN);
    again.report('process.gone');
    expect(again.state()).toBe('backoff');
    expect(again.deadlineIn()).toBe(1000);
    expect(again.actor.getSnapshot().context.streak).toBe(0);
  });

  test('success_exit_codes are clean, no_restart_exit_codes are final', () => {
    const clean = rig(specOf({ restart: { successExitCodes: [0, 3] } }));
    clean.run();
    clean.report('process.exited', CRASH);
    clean.report('process.gone');
    expect(clean.actor.getSnapshot().context.outcome).toBe('completed');

    const final = rig(specOf({ restart: { noRestartExitCodes: [3] } }));
    final.run();
    final.report('process.exited', CRASH);
    final.report('process.gone');
    expect(final.state()).toBe('failed');
  });

  test('restart_policy never: a failure is final and says what it was', () => {
    const { run, report, state, actor } = rig(specOf({ restart: { mode: 'never' } }));
    run();
    report('process.exited', KILLED);
    report('process.gone');
    expect(state()).toBe('failed');
    expect(actor.getSnapshot().context.reason).toBe('process terminated by signal SIGKILL');
  });

  test('unhealthy restarts whatever the policy, within the budget', () => {
    const { run, report, elapse, state, effects } = rig(specOf({ check: CHECK, restart: { mode: 'never', maxRestarts: 1 } }));
    run();
    report('probe.bad', { reason: 'three checks failed' });
    expect(state()).toBe('stopping');
    report('process.exited', CLEAN);
    report('process.gone');
    expect(state()).toBe('backoff');
    elapse();
    report('process.spawned');
    report('probe.ok');
    report('probe.bad', { reason: 'three checks failed' });
    report('process.gone');
    expect(state()).toBe('failed');
    expect(effects.filter((effect) => effect.startsWith('spawn'))).toEqual(['spawn 1', 'spawn 2']);
  });

  test('on_unhealthy none: it goes on unready, does not become stable, and is ready again when the probe says so', () => {
    const { run, report, state, actor, deadlineIn } = rig(specOf({ check: { ...CHECK, onUnhealthy: 'none' } }));
    run();
    report('probe.bad', { reason: 'x' });
    expect(state()).toBe('running');
    expect(actor.getSnapshot().context.ready).toBe(false);
    expect(deadlineIn()).toBeNull();
    report('probe.ok');
    expect(actor.getSnapshot().context.ready).toBe(true);
    expect(deadlineIn()).toBe(10_000);
  });

  test('a limit that is exceeded ends it and counts as a failure', () => {
    const { run, send, report, state, actor } = rig();
    run();
    send({ type: 'limit.exceeded', reason: 'uses 600M of 512M' });
    report('process.gone');
    expect(state()).toBe('backoff');
    expect(actor.getSnapshot().context.reason).toBe('uses 600M of 512M');
  });
});

describe('stop', () => {
  test('signal, grace, SIGKILL, and stopped only when it is seen dead', () => {
    const { run, send, report, elapse, state, effects, answers } = rig();
    run();
    send({ type: 'stop', ticket: 5 });
    expect(elapse()).toBe('grace');
    expect(state()).toBe('killing');
    report('process.exited', KILLED);
    expect(answers).toHaveLength(0);
    report('process.gone');
    expect(state()).toBe('stopped');
    expect(effects).toEqual(['spawn 1', 'SIGTERM 1', 'kill 1']);
    expect(answers).toEqual([{ ticket: 5, unit: 'web', result: 'stopped', error: null }]);
  });

  test('a signal from a person reaches a process that is being ended, for one that hangs there is asked where', () => {
    const { run, send, report, elapse, effects } = rig();
    run();
    send({ type: 'stop' });
    send({ type: 'signal', signal: 'SIGQUIT' });
    elapse();
    send({ type: 'signal', signal: 'SIGUSR1' });
    report('process.gone');
    send({ type: 'signal', signal: 'SIGUSR2' });
    expect(effects).toEqual(['spawn 1', 'SIGTERM 1', 'SIGQUIT 1', 'kill 1', 'SIGUSR1 1']);
  });

  test('a process that survives SIGKILL: ordered again, later each time, and the stop is answered with an error', () => {
    const { run, send, elapse, deadlineIn, effects, answers, state, facts } = rig();
    run();
    send({ type: 'stop', ticket: 5 });
    elapse();
    const waits = [0, 0, 0, 0, 0, 0].map(() => {
      const wait = deadlineIn();
      elapse();
      return wait;
    });
    expect(waits).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(effects.filter((effect) => effect === 'kill 1')).toHaveLength(7);
    expect(answers[0]?.error).toMatch(/^pid \d+ survives SIGKILL/);
    expect(state()).toBe('killing');
    expect(facts.at(-1)).toMatchObject({ facts: { stuck: true } });
  });

  test('before the pid is known: the signal follows the report; after the grace the kill does', () => {
    const early = rig();
    early.send({ type: 'start' });
    early.send({ type: 'stop' });
    expect(early.effects).toEqual(['spawn 1']);
    early.report('process.spawned');
    expect(early.effects).toEqual(['spawn 1', 'SIGTERM 1']);

    const late = rig();
    late.send({ type: 'start' });
    late.send({ type: 'stop' });
    late.elapse();
    late.report('process.spawned');
    expect(late.effects).toEqual(['spawn 1', 'kill 1', 'kill 1']);
    late.report('process.gone');
    expect(late.state()).toBe('stopped');
  });

  test('a start that is refused while stopping is stopped', () => {
    const { send, report, state, answers } = rig();
    send({ type: 'start', ticket: 1 });
    send({ type: 'stop', ticket: 2 });
    report('process.refused', { reason: 'no such program' });
    expect(state()).toBe('stopped');
    expect(answers).toEqual([
      { ticket: 1, unit: 'web', result: 'failed', error: 'superseded by stop' }, { ticket: 2, unit: 'web', result: 'stopped', error: null },
    ]);
  });

  test('in backoff, waiting and failed it is answered at once and nothing starts any more', () => {
    const backoff = rig();
    backoff.run();
    backoff.report('process.exited', CRASH);
    backoff.report('process.gone');
    backoff.send({ type: 'stop', ticket: 1 });
    expect(backoff.state()).toBe('stopped');
    expect(backoff.deadlineIn()).toBeNull();
    expect(backoff.answers).toHaveLength(1);
    backoff.report('deadline.backoff');
    expect(backoff.effects).toEqual(['spawn 1', 'clear 1']);

    const waiting = rig(specOf(), { held: ['db'] });
    waiting.send({ type: 'start', ticket: 1 });
    waiting.send({ type: 'stop', ticket: 2 });
    waiting.send({ type: 'release', dependency: 'db' });
    expect(waiting.effects).toEqual([]);
    expect(waiting.answers.map(({ ticket, error }) => [ticket, error])).toEqual([[1, 'superseded by stop'], [2, null]]);

    const failed = rig(specOf({ restart: { mode: 'never' } }));
    failed.run();
    failed.report('process.exited', CRASH);
    failed.report('process.gone');
    failed.send({ type: 'stop', ticket: 1 });
    expect(failed.actor.getSnapshot().context).toMatchObject({ wanted: 'down', exit: CRASH.exit });
  });

  test('a second stop while stopping never repeats the signal nor extends the grace', () => {
    const { run, send, report, effects, advance, deadlineIn, answers } = rig();
    run();
    send({ type: 'stop', ticket: 1 });
    advance(4000);
    send({ type: 'stop', ticket: 2 });
    expect(deadlineIn()).toBe(6000);
    report('process.gone');
    expect(effects).toEqual(['spawn 1', 'SIGTERM 1']);
    expect(answers.map(({ ticket }) => ticket)).toEqual([1, 2]);
  });
});

describe('commands that meet', () => {
  test('restart while running: TERM, wait until the group is gone, then a second process', () => {
    const { run, send, report, effects, state, answers, elapse } = rig();
    run();
    send({ type: 'restart', ticket: 3 });
    report('process.exited', CLEAN);
    expect(state()).toBe('stopping');
    report('process.gone');
    expect(effects).toEqual(['spawn 1', 'SIGTERM 1', 'spawn 2']);
    report('process.spawned');
    elapse();
    expect(answers).toEqual([{ ticket: 3, unit: 'web', result: 'started', error: null }]);
  });

  test('start while stopping: both are answered, the stop at the death', () => {
    const { run, send, report, answers, effects, state, elapse } = rig();
    run();
    send({ type: 'stop', ticket: 1 });
    send({ type: 'start', ticket: 2 });
    report('process.gone');
    expect(answers).toEqual([{ ticket: 1, unit: 'web', result: 'stopped', error: null }]);
    expect(effects).toEqual(['spawn 1', 'SIGTERM 1', 'spawn 2']);
    report('process.spawned');
    elapse();
    expect(state()).toBe('running');
    expect(answers.at(-1)).toMatchObject({ ticket: 2, result: 'started' });
  });

  test('stop, start, stop while stopping: the last one holds', () => {
    const { run, send, report, state, answers, actor } = rig();
    run();
    send({ type: 'stop', ticket: 1 });
    send({ type: 'start', ticket: 2 });
    send({ type: 'stop', ticket: 3 });
    report('process.gone');
    expect(state()).toBe('stopped');
    expect(actor.getSnapshot().context.wanted).toBe('down');
    expect(answers.map(({ ticket, error }) => [ticket, error])).toEqual([[2, 'superseded by stop'], [1, null], [3, null]]);
  });

  test('restart takes the definition it brings when the old process is gone', () => {
    const { run, send, report, inputs } = rig();
    run();
    send({ type: 'restart', spec: specOf({ command: 'web --new', definition: { process: 'p2', policy: 'q1' } }) });
    report('process.gone');
    expect(inputs.at(-1)?.spec.command).toBe('web --new');
  });

  test('parallel restarts settle together', () => {
    const { run, send, report, elapse, answers, effects } = rig();
    run();
    send({ type: 'restart', ticket: 1 });
    send({ type: 'restart', ticket: 2 });
    report('process.gone');
    report('process.spawned');
    elapse();
    expect(answers.map(({ ticket, error }) => [ticket, error])).toEqual([[1, null], [2, null]]);
    expect(effects).toEqual(['spawn 1', 'SIGTERM 1', 'spawn 2']);
  });
});

describe('reload', () => {
  const update = specOf({ stopTimeoutMs: 1, definition: { process: 'p1', policy: 'q2' } });
  const change = specOf({ command: 'other', definition: { process: 'p2', policy: 'q1' } });

  test('a changed policy is taken over live', () => {
    const { run, send, effects, deadlineIn } = rig();
    run();
    send({ type: 'reload', spec: update });
    expect(effects).toEqual(['spawn 1']);
    send({ type: 'stop' });
    expect(deadlineIn()).toBe(1);
  });

  test('a changed process restarts', () => {
    const { run, send, report, effects, inputs } = rig();
    run();
    send({ type: 'reload', spec: change });
    report('process.gone');
    expect(effects).toEqual(['spawn 1', 'SIGTERM 1', 'spawn 2']);
    expect(inputs.at(-1)?.spec.command).toBe('other');
  });

  test('a stopped unit takes the definition and stays stopped; a failed or waiting-to-retry one that changed tries again', () => {
    const stopped = rig();
    stopped.send({ type: 'reload', spec: change });
    expect(stopped.effects).toEqual([]);
    expect(stopped.actor.getSnapshot().context.spec.command).toBe('other');

    const failed = rig(specOf({ restart: { mode: 'never' } }));
    failed.run();
    failed.report('process.exited', CRASH);
    failed.report('process.gone');
    failed.send({ type: 'reload', spec: specOf({ restart: { mode: 'never' } }) });
    expect(failed.state()).toBe('failed');
    failed.send({ type: 'reload', spec: change });
    expect(failed.effects.at(-1)).toBe('spawn 2');
  });

  test('a removed unit is ended, then forgotten; configured again meanwhile, it comes back', () => {
    const gone = rig();
    gone.run();
    gone.send({ type: 'reload', spec: null });
    expect(gone.effects).toEqual(['spawn 1', 'SIGTERM 1']);
    gone.report('process.gone');
    expect(gone.actor.getSnapshot().status).toBe('done');
    expect(gone.effects.at(-1)).toBe('forget web');
    expect(gone.facts.at(-1)).toMatchObject({ type: 'unit.removed', unit: 'web' });

    const back = rig();
    back.run();
    back.send({ type: 'reload', spec: null });
    back.send({ type: 'reload', spec: change });
    back.report('process.gone');
    expect(back.effects).toEqual(['spawn 1', 'SIGTERM 1', 'spawn 2']);
  });
});

describe('generations', () => {
  test('reports and deadlines of another generation change nothing', () => {
    const { run, send, report, state, actor } = rig();
    run();
    send({ type: 'restart' });
    report('process.gone');
    report('process.spawned');
    const before = actor.getSnapshot();
    for (const type of ['process.exited', 'process.gone', 'process.refused', 'deadline.alive', 'deadline.grace', 'probe.ok', 'probe.bad'] as const) {
      report(type, { generation: 1, ...CRASH, reason: 'old' });
    }
    expect(state()).toBe('starting');
    expect(actor.getSnapshot().context).toEqual(before.context);
  });
});

describe('adoption', () => {
  const alive = (changes: object = {}): object => ({
    type: 'adopt', verdict: 'alive',
    record: {
      unit: 'web', hash: '0123456789abcdef', definition: { process: 'p1', policy: 'q1' }, wanted: 'up', state: 'running', cause: null, generation: 4,
      process: { generation: 4, role: 'main', token: 'old.4', identity: identityOf(77), adopted: false }, outcome: 'none', exit: null, reason: null,
      failures: [], streak: 2, restarts: 9, deadline: { kind: 'stable', at: 3000 }, since: 500, ...changes,
    },
  });

  test('a living process goes on under its generation, token, budget and deadline; nothing is spawned', () => {
    const { send, state, effects, inputs, deadlineIn, actor, elapse } = rig();
    send(alive() as never);
    expect(state()).toBe('running');
    expect(effects).toEqual(['adopt 4']);
    expect(inputs[0]).toMatchObject({ adopt: { pid: 77 }, token: 'old.4' });
    expect(actor.getSnapshot().context).toMatchObject({ streak: 2, restarts: 9, generation: 4 });
    expect(deadlineIn()).toBe(2000);
    elapse();
    expect(actor.getSnapshot().context.streak).toBe(0);
  });

  test('one that another supervisor has seen running was not started now: no hook says so, and its end is that of what ran', () => {
    const hooks = (['on_start', 'on_stop', 'on_restart'] as const).flatMap((stage) => (['success', 'error'] as const).map((outcome) => ({ stage, outcome, command: 'true', timeoutMs: 1000 })));
    for (const check of [null, CHECK]) {
      const hooked = (state: string): ReturnType<typeof rig> => {
        const unit = rig(specOf({ hooks, check }));
        unit.send(alive({ state }) as never);
        if (check !== null) unit.report('probe.ok');
        return unit;
      };
      const ran = ({ effects }: ReturnType<typeof rig>): readonly string[] => effects.filter((effect) => effect.startsWith('hook'));
      expect([ran(hooked('running')), ran(hooked('starting'))]).toEqual([[], ['hook web on_start.success']]);
      const unit = hooked('running');
      unit.report('process.gone');
      expect(ran(unit)).toEqual(['hook web on_stop.error']);
      unit.send({ type: 'hooks.idle' });
      unit.elapse();
      unit.report('process.spawned');
      if (check === null) unit.elapse();
      else unit.report('probe.ok');
      expect(ran(unit).slice(1)).toEqual(['hook web on_start.success', 'hook web on_restart.success']);
    }
  });

  test('its end is an unknown exit: a failure', () => {
    const { send, report, state, actor } = rig();
    send(alive() as never);
    report('process.gone');
    expect(state()).toBe('backoff');
    expect(actor.getSnapshot().context).toMatchObject({ exit: null, streak: 3 });
  });

  test('an interrupted one-shot is failed and never run again by itself', () => {
    const { send, report, state, actor } = rig(specOf({ restart: { oneshot: true, mode: 'always' } }));
    send(alive() as never);
    report('process.gone');
    expect(state()).toBe('failed');
    expect(actor.getSnapshot().context.reason).toBe('interrupted');
  });

  test('a living process that is no longer wanted, or whose definition changed, is ended', () => {
    const unwanted = rig();
    unwanted.send(alive({ wanted: 'down', state: 'stopping', cause: 'command' }) as never);
    expect(unwanted.effects).toEqual(['adopt 4', 'SIGTERM 4']);
    unwanted.report('process.gone');
    expect(unwanted.state()).toBe('stopped');

    const changed = rig(specOf({ definition: { process: 'p9', policy: 'q1' } }));
    changed.send(alive() as never);
    changed.report('process.gone');
    expect(changed.effects).toEqual(['adopt 4', 'SIGTERM 4', 'spawn 5']);
  });

  test('with a check a living process is starting until the probe says so', () => {
    const { send, state, effects } = rig(specOf({ check: CHECK }));
    send(alive() as never);
    expect(state()).toBe('starting');
    expect(effects).toEqual(['adopt 4', 'watch 4']);
  });

  test('dead, unborn, backing off and resting records go on where they were', () => {
    const verdict = (kind: string, changes: object = {}): ReturnType<typeof rig> => {
      const unit = rig();
      unit.send({ ...alive(changes), verdict: kind } as never);
      return unit;
    };
    expect(verdict('dead').state()).toBe('backoff');
    expect(verdict('dead', { wanted: 'down', state: 'stopping' }).state()).toBe('stopped');
    expect(verdict('unborn', { state: 'spawning' }).effects).toEqual(['spawn 5']);
    const rest = { process: null };
    expect(verdict('rest', { ...rest, state: 'backoff', deadline: { kind: 'backoff', at: 61_000 } }).deadlineIn()).toBe(60_000);
    expect(verdict('rest', { ...rest, state: 'failed', outcome: 'failed' }).state()).toBe('failed');
    expect(verdict('rest', { ...rest, state: 'stopped', wanted: 'down' }).state()).toBe('stopped');
    expect(verdict('rest', { ...rest, state: 'waiting' }).effects).toEqual(['spawn 5']);
  });
});

describe('hooks', () => {
  const hooks = (['on_start', 'on_stop', 'on_restart'] as const).flatMap((stage) =>
    (['success', 'error'] as const).map((outcome) => ({ stage, outcome, command: 'true', timeoutMs: 1000 })));
  const hooked = (restart = {}): ReturnType<typeof rig> => rig(specOf({ hooks, restart }));
  const ran = ({ effects }: { effects: string[] }): string[] => effects.filter((effect) => effect.startsWith('hook')).map((effect) => effect.slice(9));

  test('a start and a stop by hand', () => {
    const unit = hooked();
    unit.run();
    unit.send({ type: 'hooks.idle' });
    unit.send({ type: 'stop' });
    unit.report('process.gone');
    expect(ran(unit)).toEqual(['on_start.success', 'on_stop.success']);
  });

  test('a crash, and the automatic restart after it, which waits for the queue', () => {
    const unit = hooked();
    unit.run();
    unit.send({ type: 'hooks.idle' });
    unit.report('process.exited', CRASH);
    unit.report('process.gone');
    expect(unit.elapse()).toBe('backoff');
    expect(unit.state()).toBe('waiting');
    unit.send({ type: 'hooks.idle' });
    unit.report('process.spawned');
    unit.elapse();
    expect(ran(unit)).toEqual(['on_start.success', 'on_stop.error', 'on_start.success', 'on_restart.success']);
  });

  test('a restart by hand is a stop and a start, never on_restart', () => {
    const unit = hooked();
    unit.run();
    unit.send({ type: 'hooks.idle' });
    unit.send({ type: 'restart' });
    unit.report('process.gone');
    unit.send({ type: 'hooks.idle' });
    unit.report('process.spawned');
    unit.elapse();
    expect(ran(unit)).toEqual(['on_start.success', 'on_stop.success', 'on_start.success']);
  });

  test('what could not start, and an automatic attempt that failed', () => {
    const refused = hooked();
    refused.send({ type: 'start' });
    refused.report('process.refused', { reason: 'no such program' });
    expect(ran(refused)).toEqual(['on_start.error']);
    refused.send({ type: 'hooks.idle' });
    refused.elapse();
    refused.report('process.spawned');
    refused.report('process.exited', CRASH);
    refused.report('process.gone');
    expect(ran(refused)).toEqual(['on_start.error', 'on_start.error', 'on_restart.error']);
  });

  test('completion inside the first moment is a success; a preparation that fails and a skip run none', () => {
    const done = hooked({ oneshot: true });
    done.send({ type: 'start' });
    done.report('process.spawned');
    done.report('process.exited', CLEAN);
    done.report('process.gone');
    expect(ran(done)).toEqual(['on_start.success']);

    const unprepared = rig(specOf({ hooks, preStart: 'prepare' }));
    unprepared.send({ type: 'start' });
    unprepared.report('process.spawned');
    unprepared.report('process.exited', CRASH);
    unprepared.report('process.gone');
    expect(ran(unprepared)).toEqual([]);
    expect(ran(rig(specOf({ hooks, skip: true })))).toEqual([]);
  });

  test('a stop never waits for the queue', () => {
    const unit = hooked();
    unit.run();
    unit.send({ type: 'stop', ticket: 1 });
    unit.report('process.gone');
    expect(unit.answers.at(-1)).toMatchObject({ ticket: 1, error: null });
  });
});

describe('a reload that changes the check', () => {
  const recheck = (intervalMs: number, changes: Parameters<typeof specOf>[0] = {}): ReturnType<typeof specOf> =>
    specOf({ check: { ...CHECK, intervalMs }, definition: { process: 'p1', policy: `q${intervalMs}` }, ...changes });

  test('while running: the new check takes over, the process and its readiness stay', () => {
    const { run, send, effects, state, actor } = rig(recheck(1000));
    run();
    send({ type: 'reload', spec: recheck(2000) });
    expect(effects).toEqual(['spawn 1', 'watch 1', 'unwatch 1', 'watch 1']);
    expect([state(), actor.getSnapshot().context.ready]).toEqual(['running', true]);
  });

  test('while starting: readiness is asked by the new check', () => {
    const { send, report, effects, state } = rig(recheck(1000));
    send({ type: 'start' });
    report('process.spawned');
    send({ type: 'reload', spec: recheck(2000) });
    expect(effects).toEqual(['spawn 1', 'watch 1', 'unwatch 1', 'watch 1']);
    report('probe.ok');
    expect(state()).toBe('running');
  });

  test('a check that is taken away leaves no probe, one that comes finds out and is believed', () => {
    const gone = rig(recheck(1000));
    gone.run();
    gone.send({ type: 'reload', spec: specOf({ definition: { process: 'p1', policy: 'q9' } }) });
    expect(gone.effects).toEqual(['spawn 1', 'watch 1', 'unwatch 1']);
    expect(gone.actor.getSnapshot().context.ready).toBeNull();

    const come = rig();
    come.run();
    come.send({ type: 'reload', spec: recheck(1000) });
    expect(come.actor.getSnapshot().context.ready).toBe(true);
    come.report('probe.timeout', { reason: 'not ready within 30s' });
    expect(come.state()).toBe('stopping');
  });
});

test('an adopted unit has been in its phase since before this supervisor', () => {
  const { send, actor } = rig();
  send({
    type: 'adopt', verdict: 'alive',
    record: {
      unit: 'web', hash: '', definition: { process: 'p1', policy: 'q1' }, wanted: 'up', state: 'running', cause: null, generation: 4,
      process: { generation: 4, role: 'main', token: 'old.4', identity: identityOf(77), adopted: false }, outcome: 'none', exit: null, reason: null,
      failures: [], streak: 0, restarts: 0, deadline: null, since: 500,
    },
  });
  expect(actor.getSnapshot().context.since).toBe(500);
  send({ type: 'stop' });
  expect(actor.getSnapshot().context.since).toBe(1000);
});
