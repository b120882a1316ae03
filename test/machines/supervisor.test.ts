import { describe, expect, test } from 'vitest';
import type { Dependency, ServiceSpec } from '../../machines/types.ts';
import { keepViews, viewAll } from '../../machines/view.ts';
import { identityOf, specOf } from './rig.ts';
import { hasEnded, stageOf } from '../../machines/supervisor.ts';
import { world } from './supervisor-rig.ts';

const on = (...names: readonly string[]): readonly Dependency[] =>
  names.map((service) => ({ service, condition: 'started', onRestart: 'restart' }));
const unit = (name: string, changes: Parameters<typeof specOf>[0] = {}): ServiceSpec => specOf({ name, ...changes });
const chain = (): readonly ServiceSpec[] => [unit('web', { dependsOn: on('api') }), unit('api', { dependsOn: on('db') }), unit('db')];

describe('order', () => {
  test('units start after what they depend on, independent ones at once', () => {
    const { effects, come } = world([...chain(), unit('log')], { start: ['web', 'api', 'db', 'log'] });
    expect(effects).toEqual(['spawn db 1', 'spawn log 1']);
    come('db');
    expect(effects.slice(2)).toEqual(['spawn api 1']);
    come('api');
    expect(effects.slice(3)).toEqual(['spawn web 1']);
  });

  test('start of one unit brings what it needs, and its answer waits for itself alone', () => {
    const { send, effects, answers, come } = world(chain());
    send({ type: 'start', ticket: 1, units: ['api'] });
    expect(effects).toEqual(['spawn db 1']);
    come('db');
    expect(answers).toEqual([]);
    come('api');
    expect(answers).toEqual([{ ticket: 1, unit: 'api', result: 'started', error: null }]);
    expect(effects).toEqual(['spawn db 1', 'spawn api 1']);
  });

  test('stop of all: dependents first, each when those that need it are gone', () => {
    const { send, effects, come, go, answers } = world(chain(), { start: ['web', 'api', 'db'] });
    for (const name of ['db', 'api', 'web']) come(name);
    effects.length = 0;
    send({ type: 'stop', ticket: 1, units: ['db', 'api', 'web'] });
    expect(effects).toEqual(['SIGTERM web 1']);
    go('web');
    expect(effects).toEqual(['SIGTERM web 1', 'SIGTERM api 1']);
    go('api');
    go('db');
    expect(effects).toEqual(['SIGTERM web 1', 'SIGTERM api 1', 'SIGTERM db 1']);
    expect(answers.map(({ unit: name, error }) => [name, error])).toEqual([['web', null], ['api', null], ['db', null]]);
  });

  test('stop of one unit leaves its dependents running', () => {
    const { send, effects, come, go, state } = world(chain(), { start: ['web', 'api', 'db'] });
    for (const name of ['db', 'api', 'web']) come(name);
    effects.length = 0;
    send({ type: 'stop', ticket: 1, units: ['db'] });
    go('db');
    expect(effects).toEqual(['SIGTERM db 1']);
    expect(state('api')).toBe('running');
  });

  test('restart of all: down in the order of a stop, up in the order of a start, each once', () => {
    const { send, effects, come, go, answers } = world(chain(), { start: ['web', 'api', 'db'] });
    for (const name of ['db', 'api', 'web']) come(name);
    effects.length = 0;
    send({ type: 'restart', ticket: 1, units: ['db', 'api', 'web'], specs: null });
    for (const name of ['web', 'api', 'db']) go(name);
    for (const name of ['db', 'api', 'web']) come(name);
    expect(effects).toEqual(['SIGTERM web 1', 'SIGTERM api 1', 'SIGTERM db 1', 'spawn db 2', 'spawn api 2', 'spawn web 2']);
    expect(answers.map(({ unit: name, result }) => [name, result])).toEqual([['db', 'started'], ['api', 'started'], ['web', 'started']]);
  });

  test('restarts of which each takes the turns of the one before settle together, and a stop takes the turns of all', () => {
    const { effects, send, come, go, answers, root } = world(chain(), { start: ['web', 'api', 'db'] });
    for (const name of ['db', 'api', 'web']) come(name);
    effects.length = 0;
    for (const ticket of [1, 2, null, 3]) send({ type: 'restart', ticket, units: ['db', 'api', 'web'], specs: null });
    expect(answers).toEqual([]);
    for (const name of ['web', 'api', 'db']) go(name);
    for (const name of ['db', 'api', 'web']) come(name);
    expect(effects).toEqual(['SIGTERM web 1', 'SIGTERM api 1', 'SIGTERM db 1', 'spawn db 2', 'spawn api 2', 'spawn web 2']);
    expect(answers.map(({ ticket, unit: name, result }) => `${ticket} ${name} ${result}`).sort()).toEqual([1, 2, 3].flatMap((ticket) => ['api', 'db', 'web'].map((name) => `${ticket} ${name} started`)));
    expect(root.getSnapshot().context.operations.size).toBe(0);
    answers.length = 0;
    for (const ticket of [4, 5]) send({ type: 'restart', ticket, units: ['db', 'api', 'web'], specs: null });
    send({ type: 'stop', ticket: 6, units: ['db'] });
    expect(answers.map(({ ticket, unit: name, error }) => [ticket, name, error])).toEqual([[5, 'db', 'superseded by stop'], [4, 'db', 'superseded by stop']]);
  });

  test('a restart goes on where a reload takes away the edge for which a unit waits', () => {
    const [db, web] = [unit('db'), unit('web')];
    const { effects, send, come, go, answers, root } = world([db, web], { start: ['db', 'web'] });
    for (const name of ['db', 'web']) come(name);
    effects.length = 0;
    send({ type: 'restart', ticket: 1, units: ['db', 'web'], specs: [db, { ...web, dependsOn: on('db'), definition: { process: 'p2', policy: 'q2' } }] });
    send({ type: 'reload', specs: [db, { ...web, definition: { process: 'p3', policy: 'q3' } }] });
    go('web');
    come('web');
    go('db');
    come('db');
    expect(effects).toEqual(['SIGTERM web 1', 'spawn web 2', 'SIGTERM db 1', 'spawn db 2']);
    expect(answers.map(({ ticket, unit: name, error }) => [ticket, name, error])).toEqual([[1, 'web', null], [1, 'db', null]]);
    expect(root.getSnapshot().context.operations.size).toBe(0);
  });

  test('a start that comes while a restart of the unit waits for its turn is answered by the restart, and a restart that waits does not start twice', () => {
    const { effects, send, come, go, answers, root } = world(chain(), { start: ['web', 'api', 'db'] });
    for (const name of ['db', 'api', 'web']) come(name);
    go('db', 1);
    effects.length = 0;
    for (const ticket of [1, 2]) send({ type: 'restart', ticket, units: ['db', 'api', 'web'], specs: null });
    send({ type: 'start', ticket: 3, units: ['db'] });
    for (const name of ['web', 'api']) go(name);
    expect([effects, answers]).toEqual([['spawn db 2'], []]);
    for (const name of ['db', 'api', 'web']) come(name);
    expect(answers.map(({ ticket, unit: name, error }) => [name, ticket, error])).toEqual([
      ['db', 1, null], ['db', 3, null], ['db', 2, null], ['api', 1, null], ['api', 2, null], ['web', 1, null], ['web', 2, null],
    ]);
    expect(root.getSnapshot().context.operations.size).toBe(0);
  });

  test('a start that comes while its stop waits for its turn takes the stop back', () => {
    const { send, come, go, answers, state } = world(chain(), { start: ['web', 'api', 'db'] });
    for (const name of ['db', 'api', 'web']) come(name);
    send({ type: 'stop', ticket: 1, units: ['db', 'api', 'web'] });
    send({ type: 'start', ticket: 2, units: ['db'] });
    go('web');
    go('api');
    expect(state('db')).toBe('running');
    expect(answers.filter(({ unit: name }) => name === 'db').map(({ ticket, error }) => [ticket, error])).toEqual([[1, 'superseded by start'], [2, null]]);
  });
});

describe('dependencies', () => {
  test('a crash holds the dependents, and they come back when it does', () => {
    const { effects, come, go, elapse, report, state } = world(chain(), { start: ['web', 'api', 'db'] });
    for (const name of ['db', 'api', 'web']) come(name);
    effects.length = 0;
    go('db', 1);
    expect(effects).toEqual(['clear db 1', 'SIGTERM api 1', 'SIGTERM web 1']);
    go('api');
    go('web');
    expect([state('db'), state('api'), state('web')]).toEqual(['backoff', 'waiting', 'waiting']);
    elapse('db');
    report('db', 'process.spawned');
    elapse('db');
    come('api');
    come('web');
    expect(effects.slice(3)).toEqual(['spawn db 2', 'spawn api 2', 'spawn web 2']);
  });

  test('a chain starts at the speed of its spawns: a program that was executed is there', () => {
    const { effects, report } = world(chain(), { start: ['web', 'api', 'db'] });
    for (const name of ['db', 'api', 'web']) report(name, 'process.spawned');
    expect(effects).toEqual(['spawn db 1', 'spawn api 1', 'spawn web 1']);
  });

  test('a dependency that ends at once stops those that were started upon it, whatever on_restart says, and the next ones wait until it has lived', () => {
    const { effects, go, report, elapse, state } = world([unit('db'), unit('api', { dependsOn: [{ service: 'db', condition: 'started', onRestart: 'ignore' }] })], { start: ['db', 'api'] });
    report('db', 'process.spawned');
    report('api', 'process.spawned');
    go('db', 1);
    expect(effects).toEqual(['spawn db 1', 'spawn api 1', 'clear db 1', 'SIGTERM api 1']);
    go('api');
    elapse('db');
    report('db', 'process.spawned');
    expect([state('db'), state('api')]).toEqual(['starting', 'waiting']);
    elapse('db');
    expect(effects.slice(4)).toEqual(['spawn db 2', 'spawn api 2']);
  });

  test('a dependency that is complete at once leaves those alone that were started upon it', () => {
    const { effects, go, report } = world([unit('job', { restart: { mode: 'never' } }), unit('api', { dependsOn: on('job') })], { start: ['job', 'api'] });
    report('job', 'process.spawned');
    report('api', 'process.spawned');
    go('job', 0);
    expect(effects).toEqual(['spawn job 1', 'spawn api 1', 'clear job 1']);
  });

  test('on_restart ignore: the dependent runs on', () => {
    const { effects, come, go } = world([unit('db'), unit('api', { dependsOn: [{ service: 'db', condition: 'started', onRestart: 'ignore' }] })], { start: ['db', 'api'] });
    come('db');
    come('api');
    effects.length = 0;
    go('db', 1);
    expect(effects).toEqual(['clear db 1']);
  });

  test('a dependency that failed for good answers the start of its dependent, which goes on waiting', () => {
    const specs = [unit('db', { restart: { mode: 'never' } }), unit('api', { dependsOn: on('db') })];
    const { send, go, report, answers, records, state } = world(specs);
    send({ type: 'start', ticket: 1, units: ['api'] });
    report('db', 'process.spawned');
    go('db', 1);
    go('api');
    expect(answers).toEqual([{ ticket: 1, unit: 'api', result: 'failed', error: "dependency 'db' failed (exit 1)" }]);
    expect(state('api')).toBe('waiting');
    const next = world(specs, { adopt: ['db', 'api'].map((name) => ({ record: records.get(name), verdict: 'rest' })) });
    expect(next.root.getSnapshot().context.units.get('api')?.informed['db']?.lost).toBe("dependency 'db' failed (exit 1)");
  });

  test('why a dependency failed is said where its exit does not: it was not ready and was ended for that', () => {
    const check = { probe: { kind: 'command', command: 'test' }, intervalMs: 100, timeoutMs: 1000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart' } as const;
    const { send, report, answers } = world([unit('db', { check, restart: { mode: 'never' } }), unit('api', { dependsOn: on('db') })]);
    send({ type: 'start', ticket: 1, units: ['api'] });
    report('db', 'process.spawned');
    report('db', 'probe.timeout', { reason: 'not ready within 1 s: the check failed' });
    report('db', 'process.exited', { exit: { code: null, signal: 'SIGTERM' } });
    report('db', 'process.gone');
    expect(answers).toEqual([{ ticket: 1, unit: 'api', result: 'failed', error: "dependency 'db' failed (not ready within 1 s: the check failed)" }]);
  });

  test('those that wait for a unit that waits in vain are answered at once, with the whole chain; when the cause comes back, they come up', () => {
    const { send, come, go, report, answers, state } = world([unit('c', { restart: { mode: 'never' } }), unit('b', { dependsOn: on('c') }), unit('a', { dependsOn: on('b') })]);
    send({ type: 'start', ticket: 1, units: ['a'] });
    report('c', 'process.spawned');
    go('c', 3);
    go('b');
    expect(answers).toEqual([{ ticket: 1, unit: 'a', result: 'failed', error: "dependency 'b' cannot start: its dependency 'c' failed (exit 3)" }]);
    send({ type: 'start', units: ['c'] });
    for (const name of ['c', 'b', 'a']) come(name);
    expect(['a', 'b', 'c'].map(state)).toEqual(['running', 'running', 'running']);
  });

  test('a start tries a failed dependency again instead of failing on what it was', () => {
    const { send, go, report, come, answers } = world([unit('db', { restart: { mode: 'never' } }), unit('api', { dependsOn: on('db') })], { start: ['db'] });
    report('db', 'process.spawned');
    go('db', 1);
    send({ type: 'start', ticket: 1, units: ['api'] });
    expect(answers).toEqual([]);
    come('db');
    come('api');
    expect(answers).toEqual([{ ticket: 1, unit: 'api', result: 'started', error: null }]);
  });

  test('restart of a unit whose dependency is stopped says so', () => {
    const { send, come, go, answers, state } = world(chain(), { start: ['db', 'api'] });
    come('db');
    come('api');
    send({ type: 'stop', units: ['db'] });
    go('db');
    send({ type: 'restart', ticket: 1, units: ['api'], specs: null });
    go('api');
    expect(state('api')).toBe('waiting');
    expect(answers).toEqual([{ ticket: 1, unit: 'api', result: 'failed', error: "dependency 'db' is stopped" }]);
  });

  test.for([
    ['runs', unit('db'), null], ['is a cron unit', unit('db', { cron: { expression: '* * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } }), null], ['has completed', unit('db', { restart: { oneshot: true } }), null],
    ['is stopped', unit('db'), "dependency 'db' is stopped"],
  ] as const)('a restart with a new edge to a dependency that %s goes by what that is already', ([how, db, error]) => {
    const web = unit('web');
    const { send, answers, come, go, state } = world([db, web], { start: db.cron === null ? ['db', 'web'] : ['web'] });
    if (db.cron === null) come('db');
    come('web');
    if (how === 'has completed') go('db');
    if (how === 'is stopped') {
      send({ type: 'stop', ticket: null, units: ['db'] });
      go('db');
    }
    send({ type: 'restart', ticket: 1, units: ['web'], specs: [{ ...web, dependsOn: on('db') }] });
    go('web');
    if (error === null) come('web');
    expect([state('web'), answers]).toEqual([error === null ? 'running' : 'waiting', [expect.objectContaining({ ticket: 1, unit: 'web', error })]]);
  });

  test('completed and skipped dependencies satisfy', () => {
    const { effects, go, report } = world([
      unit('migrate', { restart: { oneshot: true } }), unit('never', { skip: true }),
      unit('api', { dependsOn: [{ service: 'migrate', condition: 'completed', onRestart: 'ignore' }, ...on('never')] }),
    ], { start: ['migrate', 'never', 'api'] });
    report('migrate', 'process.spawned');
    expect(effects).toEqual(['spawn migrate 1']);
    go('migrate');
    expect(effects.at(-1)).toBe('spawn api 1');
  });
});

describe('reload', () => {
  test('new units start, missing ones go, changed ones restart, the others are not touched', () => {
    const { send, effects, come, go, state, root } = world([unit('a'), unit('b'), unit('c')], { start: ['a', 'b', 'c'] });
    for (const name of ['a', 'b', 'c']) come(name);
    effects.length = 0;
    send({ type: 'reload', specs: [unit('a'), unit('b', { definition: { process: 'new', policy: 'q1' } }), unit('d')] });
    // What a reload removes is gone before what it adds is started: both may want the same port.
    expect(effects).toEqual(['SIGTERM c 1', 'SIGTERM b 1']);
    go('c');
    expect(effects.slice(2)).toEqual(['spawn d 1']);
    go('b');
    expect(state('c')).toBe('absent');
    expect(effects.slice(3)).toEqual(['spawn b 2']);
    expect([...root.getSnapshot().context.units.keys()].sort()).toEqual(['a', 'b', 'd']);
  });

  test('a new edge to a unit that runs does not disturb; the next start is gated by it', () => {
    const { send, effects, come, go, elapse, state } = world([unit('a'), unit('b')], { start: ['a'] });
    come('a');
    effects.length = 0;
    send({ type: 'reload', specs: [unit('a', { dependsOn: on('b'), definition: { process: 'p1', policy: 'q2' } }), unit('b')] });
    expect(effects).toEqual([]);
    go('a', 1);
    elapse('a');
    expect(state('a')).toBe('waiting');
  });

  test('a new edge counts from the reload on, one that went no more', () => {
    const { send, effects, come, go } = world([unit('a'), unit('b'), unit('c', { dependsOn: on('b') })], { start: ['a', 'b', 'c'] });
    for (const name of ['a', 'b', 'c']) come(name);
    send({ type: 'reload', specs: [unit('a', { dependsOn: on('b'), definition: { process: 'p1', policy: 'q2' } }), unit('b'), unit('c', { definition: { process: 'p1', policy: 'q2' } })] });
    effects.length = 0;
    go('b', 1);
    expect(effects).toEqual(['clear b 1', 'SIGTERM a 1']);
  });

  test('a unit that waits for another starts when the edge to that one goes, and waits on where the edge stays', () => {
    const { send, effects, state } = world([unit('a', { dependsOn: on('b') }), unit('b', { restart: { mode: 'never' } }), unit('c', { dependsOn: on('b') })], { start: ['a', 'c'] });
    expect([state('a'), state('c'), effects]).toEqual(['waiting', 'waiting', ['spawn b 1']]);
    send({ type: 'reload', specs: [unit('a', { definition: { process: 'p1', policy: 'q2' } }), unit('b', { restart: { mode: 'never' } }), unit('c', { dependsOn: on('b') })] });
    expect([state('a'), state('c'), effects]).toEqual(['spawning', 'waiting', ['spawn b 1', 'spawn a 1']]);
  });
});

describe('shutdown', () => {
  test('everything stops in order, the ticket is answered, the machine is done with the exit code', () => {
    const { send, come, go, answers, root } = world(chain(), { start: ['web', 'api', 'db'] });
    for (const name of ['db', 'api', 'web']) come(name);
    expect(stageOf(root.getSnapshot())).toBe('serving');
    send({ type: 'shutdown', ticket: 9, exitCode: 0 });
    expect(stageOf(root.getSnapshot())).toBe('ending');
    send({ type: 'start', ticket: 10, units: ['web'] });
    send({ type: 'restart', ticket: 11, units: ['api'], specs: null });
    const refused = { result: 'failed', error: 'the supervisor is shutting down' } as const;
    expect(answers).toEqual([{ ticket: 10, unit: 'web', ...refused }, { ticket: 11, unit: 'api', ...refused }]);
    for (const name of ['web', 'api']) go(name);
    expect(hasEnded(root.getSnapshot())).toBe(false);
    go('db');
    expect([hasEnded(root.getSnapshot()), root.getSnapshot().context.exitCode]).toEqual([true, 0]);
    expect(answers.at(-1)).toMatchObject({ ticket: 9, error: null });
  });

  test('an essential unit that fails ends everything with its exit code; a signal counts 128 + n', () => {
    const failing = world([unit('main', { essential: true, restart: { mode: 'never' } }), unit('side')], { start: ['main', 'side'] });
    failing.come('main');
    failing.come('side');
    failing.go('main', 7);
    expect(failing.effects.at(-1)).toBe('SIGTERM side 1');
    failing.go('side');
    expect([hasEnded(failing.root.getSnapshot()), failing.root.getSnapshot().context.exitCode]).toEqual([true, 7]);

    const killed = world([unit('main', { essential: true, restart: { mode: 'never' } })], { start: ['main'] });
    killed.come('main');
    killed.report('main', 'process.exited', { exit: { code: null, signal: 'SIGKILL' } });
    killed.report('main', 'process.gone');
    expect([hasEnded(killed.root.getSnapshot()), killed.root.getSnapshot().context.exitCode]).toEqual([true, 137]);
  });

  test('an essential one-shot ends everything when it has done its work', () => {
    const { root, report, go } = world([unit('job', { essential: true, restart: { oneshot: true } })], { start: ['job'] });
    report('job', 'process.spawned');
    go('job');
    expect([hasEnded(root.getSnapshot()), root.getSnapshot().context.exitCode]).toEqual([true, 0]);
  });

  test('the end of an essential unit answers a restart whose turn came with that end', () => {
    const rolling = { ...specOf().deployment, strategy: 'rolling' } as const;
    const specs = [
      unit('main', { essential: true, restart: { mode: 'never' } }), unit('top', { dependsOn: on('main') }),
      unit('web', { dependsOn: [{ service: 'main', condition: 'started', onRestart: 'ignore' }], deployment: rolling }),
    ];
    const { send, come, go, answers, report } = world(specs, { start: ['main', 'top', 'web'] });
    for (const name of ['main', 'top', 'web']) come(name);
    send({ type: 'restart', units: ['main', 'top'], specs: null });
    send({ type: 'restart', ticket: 1, units: ['web'], specs: null });
    go('top');
    go('main');
    report('main', 'process.spawned');
    expect(answers).toEqual([]);
    go('main', 7);
    expect(answers).toEqual([{ ticket: 1, unit: 'web', result: 'failed', error: 'superseded by stop' }]);
  });

  test('what an earlier supervisor left and the file does not name is gone before the first start, and holds up no other', () => {
    const former = world([unit('web1')], { start: ['web1'] });
    former.come('web1');
    const { send, go, come, effects } = world([unit('web2'), unit('db'), unit('web1')], { adopt: [{ record: former.records.get('web1'), verdict: 'alive' }] });
    const specs = [unit('web2'), unit('db')];
    send({ type: 'reload', specs });
    send({ type: 'start', units: ['web2'], origin: { kind: 'boot', by: null } });
    expect(effects).toEqual(['adopt web1 1', 'SIGTERM web1 1']);
    send({ type: 'start', units: ['db'] });
    expect(effects.slice(2)).toEqual(['spawn db 1']);
    come('db');
    go('web1');
    expect(effects.slice(3)).toEqual(['spawn web2 1']);
  });

  test('a unit that a reload removed, and that had not ended yet, does not hold up the end for ever', () => {
    const { send, come, go, root, effects } = world([unit('a'), unit('c')], { start: ['a', 'c'] });
    for (const name of ['a', 'c']) come(name);
    send({ type: 'reload', specs: [unit('a')] });
    send({ type: 'shutdown', exitCode: 0 });
    expect(effects.slice(-2)).toEqual(['SIGTERM c 1', 'SIGTERM a 1']);
    go('a');
    expect(hasEnded(root.getSnapshot())).toBe(false);
    go('c');
    expect(hasEnded(root.getSnapshot())).toBe(true);
  });

  test('in a hurry SIGKILL comes at once for what is left of a service whose own process has ended', () => {
    const { send, come, report, effects } = world([unit('a')], { start: ['a'] });
    come('a');
    report('a', 'process.exited', { exit: { code: 0, signal: null } });
    send({ type: 'shutdown', exitCode: 0 });
    effects.length = 0;
    send({ type: 'hurry' });
    expect(effects).toEqual(['kill a 1']);
  });

  test('in a hurry SIGKILL comes at once, for what ends now and what is to end after it, cron runs included; before the end it means nothing', () => {
    const { send, come, go, effects, root } = world([...chain(), unit('log'), unit('job', { cron: { expression: '* * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } })], { start: ['web', 'api', 'db', 'log'] });
    for (const name of ['db', 'api', 'web', 'log']) come(name);
    send({ type: 'start', ticket: 1, units: ['job'] });
    come('job');
    effects.length = 0;
    send({ type: 'hurry' });
    expect(effects).toEqual([]);
    send({ type: 'shutdown', exitCode: 0 });
    expect(effects.splice(0)).toEqual(['SIGTERM web 1', 'SIGTERM log 1', 'SIGTERM job 1']);
    send({ type: 'hurry' });
    expect(effects.splice(0)).toEqual(['kill web 1', 'kill log 1', 'kill job 1']);
    for (const name of ['log', 'job', 'web', 'api']) go(name);
    expect(effects).toEqual(['SIGTERM api 1', 'kill api 1', 'SIGTERM db 1', 'kill db 1']);
    go('db');
    expect(hasEnded(root.getSnapshot())).toBe(true);
  });

  test('a process that survives SIGKILL does not hold up the end for ever', () => {
    const { send, come, elapse, root } = world([unit('a')], { start: ['a'] });
    come('a');
    send({ type: 'shutdown', exitCode: 0 });
    elapse('a');
    expect(hasEnded(root.getSnapshot())).toBe(false);
    elapse('a');
    expect(hasEnded(root.getSnapshot())).toBe(true);
  });
});

test('who needs whom is found out anew where that has changed, and not for each unit of a file that was read again', () => {
  const { root, send } = world(chain());
  const dependents = () => root.getSnapshot().context.dependents;
  const before = dependents();
  send({ type: 'reload', specs: chain() });
  expect(dependents()).toBe(before);
  send({ type: 'reload', specs: [unit('web', { dependsOn: on('db') }), ...chain().slice(1)] });
  expect(Object.fromEntries(dependents())).toEqual({ db: ['web', 'api'] });
  send({ type: 'reload', specs: [unit('web'), unit('db')] });
  expect([...dependents()]).toEqual([]);
});

test('a signal goes to the process that there is, of a cron unit to its run, and nowhere where there is none', () => {
  const { send, come, effects } = world([unit('a'), unit('b'), unit('job', { cron: { expression: '* * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } })], { start: ['a', 'job'] });
  come('a');
  send({ type: 'start', units: ['job'] });
  come('job');
  effects.length = 0;
  for (const name of ['a', 'b', 'job']) send({ type: 'signal', unit: name, signal: 'SIGHUP' });
  expect(effects).toEqual(['signal a 1', 'signal job 1']);
});

test('what a reload adds waits for the end of what it removes, and no more when that is configured again', () => {
  for (const again of [true, false]) {
    const { send, come, go, effects } = world([unit('old')], { start: ['old'] });
    come('old');
    send({ type: 'reload', specs: [unit('new')] });
    expect(effects).toEqual(['spawn old 1', 'SIGTERM old 1']);
    if (again) send({ type: 'reload', specs: [unit('old'), unit('new')] });
    else go('old');
    expect(effects.at(-1)).toBe('spawn new 1');
  }
});

test('a first start that waits for the end of what the file does not name waits no more when that is configured again', () => {
  const { send, come, effects } = world([unit('old'), unit('new')], { start: ['old'] });
  come('old');
  send({ type: 'reload', specs: [unit('new')] });
  send({ type: 'start', units: ['new'], origin: { kind: 'boot', by: null } });
  expect(effects).toEqual(['spawn old 1', 'SIGTERM old 1']);
  send({ type: 'reload', specs: [unit('old'), unit('new')] });
  expect(effects.at(-1)).toBe('spawn new 1');
});

test('an operation whose turn with a unit was taken by a later command gives no order to the unit', () => {
  const { root, come, effects, send } = world([unit('a')], { start: ['a'] });
  come('a');
  effects.length = 0;
  root.send({ type: 'operation.order', at: 0, operation: 99, parts: [{ unit: 'a', command: 'stop', origin: { kind: 'command', by: 'stop' }, after: [], owes: false }] });
  expect(effects).toEqual([]);
  send({ type: 'stop', units: ['a'] });
  expect(effects).toEqual(['SIGTERM a 1']);
});

describe('an actor that throws', () => {
  test('the root survives, answers what was owed, and a new actor adopts the process', () => {
    const { root, come, effects, lookups, answers, report, send, records, state } = world([unit('a'), unit('b')], { start: ['a', 'b'] });
    come('b');
    report('a', 'process.spawned');
    send({ type: 'start', ticket: 4, units: ['a'] });
    root.getSnapshot().context.units.get('a')?.ref?.send({ type: 'process.exited', generation: 1, at: 1, get exit(): never { throw new Error('planted'); } } as never);
    expect(lookups).toEqual(['a']);
    expect(answers).toEqual([{ ticket: 4, unit: 'a', result: 'failed', error: 'the supervisor failed while it looked after the unit' }]);
    expect(hasEnded(root.getSnapshot())).toBe(false);
    const record = records.get('a');
    send({ type: 'recovered', unit: 'a', adopt: { record, verdict: 'alive' } });
    expect(effects.at(-1)).toBe('adopt a 1');
    expect([state('a'), state('b')]).toEqual(['running', 'running']);
  });

  test('where it is an operation, nobody knows any more what is owed: the root fails too, and another supervisor takes over', () => {
    const { root, send } = world([unit('a')], {});
    const errors: unknown[] = [];
    root.subscribe({ error: (error) => errors.push(error) });
    send({ type: 'start', ticket: 4, units: ['a'] });
    const [operation] = root.getSnapshot().context.operations.values();
    operation?.ref?.send({ type: 'unit.settled', at: 1, get settlement(): never { throw new Error('planted'); } } as never);
    expect(String(errors[0])).toContain('planted');
    expect(root.getSnapshot().status).toBe('error');
  });

  test('the third time in a minute the unit is ended and failed', () => {
    const { root, come, lookups, send, records, state, report, effects } = world([unit('a')], { start: ['a'] });
    come('a');
    for (let time = 0; time < 3; time += 1) {
      root.getSnapshot().context.units.get('a')?.ref?.send({ type: 'process.exited', generation: 1, at: 1, get exit(): never { throw new Error('planted'); } } as never);
      send({ type: 'recovered', unit: 'a', adopt: { record: records.get('a'), verdict: 'alive' } });
    }
    expect(lookups).toHaveLength(3);
    expect(effects.slice(-2)).toEqual(['adopt a 1', 'SIGTERM a 1']);
    report('a', 'process.gone');
    expect(state('a')).toBe('failed');
  });
});

describe('boot', () => {
  test('adopted units go on, the others start, dependents of adopted ones are not held', () => {
    const record = {
      unit: 'db', hash: '', definition: { process: 'p1', policy: 'q1' }, wanted: 'up', state: 'running', cause: null, generation: 3,
      process: { generation: 3, role: 'main', token: 'old.3', identity: identityOf(50), adopted: false }, outcome: 'none', exit: null, reason: null,
      failures: [], streak: 0, restarts: 0, deadline: null, since: 0,
    };
    const { effects, come, state } = world(chain(), { adopt: [{ record, verdict: 'alive' }], start: ['api', 'web'] });
    expect(effects).toEqual(['adopt db 3', 'spawn api 1']);
    come('api');
    expect(state('web')).toBe('spawning');
  });

  test('the view lists every unit by name with 0.33.0\'s words', () => {
    const { root, come, go } = world([unit('b', { restart: { mode: 'never' } }), unit('a'), unit('c', { skip: true }), unit('d')], { start: ['a', 'b', 'c'] });
    come('a');
    come('b');
    go('b', 1);
    expect(viewAll(root.getSnapshot()).map(({ spec, lifecycle, health }) => [spec.name, lifecycle, health])).toEqual([
      ['a', 'running', 'healthy'], ['b', 'exited_with_error', 'failing'], ['c', 'skipped', 'healthy'], ['d', 'stopped', 'healthy'],
    ]);
  });

  test('a unit that ended well and starts again in a moment is not failing, one that failed is', () => {
    const { root, come, go } = world(['good', 'bad'].map((name) => unit(name, { restart: { mode: 'always' } })), { start: ['good', 'bad'] });
    for (const [name, code] of [['good', 0], ['bad', 1]] as const) {
      come(name);
      go(name, code);
    }
    expect(viewAll(root.getSnapshot()).map(({ spec, phase, lifecycle, health }) => [spec.name, phase, lifecycle, health])).toEqual([
      ['bad', 'backoff', 'exited_with_error', 'failing'], ['good', 'backoff', 'exited_successfully', 'degraded'],
    ]);
  });

  test('kept views are those of now, and the same ones for units that have not changed', () => {
    const { root, come, go } = world([unit('b', { restart: { mode: 'never' } }), unit('a')], { start: ['a', 'b'] });
    const views = keepViews();
    const first = views(root.getSnapshot());
    expect(first).toEqual(viewAll(root.getSnapshot()));
    expect(views(root.getSnapshot())).toBe(first);
    come('b');
    const second = views(root.getSnapshot());
    expect(second).toEqual(viewAll(root.getSnapshot()));
    expect(second[0]).toBe(first[0]);
    expect(second[1]).not.toBe(first[1]);
    go('b', 1);
    expect(views(root.getSnapshot())).toEqual(viewAll(root.getSnapshot()));
    root.send({ type: 'reload', at: 1, ticket: null, specs: [unit('c')] });
    expect(views(root.getSnapshot()).map(({ spec }) => spec.name)).toContain('c');
    expect(views(root.getSnapshot())).toEqual(viewAll(root.getSnapshot()));
  });
});
