import { describe, expect, test } from 'vitest';
import type { RouteOutside } from '../../src/control/outside.ts';
import { makeRoute } from '../../src/control/route.ts';
import { openTicketOffice, type Caller } from '../../src/control/tickets.ts';
import type { AcceptedRequest } from '../../src/journal/request-record.ts';
import type { Request } from '../../src/wire/requests.ts';
import { acceptance } from '../../src/wire/responses.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import { world, type Boot, type World } from '../machines/supervisor-rig.ts';

interface Routed extends World {
  /** Sends a request and does not wait for its answer. */
  ask(request: Request): Promise<void>;
  /** Sends a request. The text of its answer, or its kind when it is none of words; `error: ` comes before a refusal. */
  answer(request: Request): Promise<string>;
  /** What was recorded as accepted. */
  readonly accepted: AcceptedRequest[];
  /** The units of the file from now on. */
  write(...specs: readonly ServiceSpec[]): void;
}

/** A route before a supervisor whose processes are scripted. */
function routed(specs: readonly ServiceSpec[], boot: Boot = { start: specs.map(({ name }) => name) }, more: Partial<RouteOutside> = {}): Routed {
  const tickets = openTicketOffice();
  const it = world(specs, boot, tickets.settle);
  let file = specs;
  const accepted: AcceptedRequest[] = [];
  const unused = () => {
    throw new Error('no request of this test needs it');
  };
  const outside: RouteOutside = {
    tickets,
    snapshot: () => it.root.getSnapshot(), callerOf: () => Promise.resolve(null), now: it.now, send: (command) => it.root.send(command),
    readConfig: () => ({
      ok: true, path: '/project/sysg.yaml', specs: file, adHoc: new Set(), metrics: null, kept: { path: '/project/sysg.yaml', source: { kind: 'list', offset: 0, items: [] }, included: {}, envFiles: {}, units: {} },
    }),
    adoptConfig: () => undefined, slots: () => ({}), record: (request) => void accepted.push(request), askerOf: () => Promise.resolve({}),
    adHoc: { add: unused, has: () => false, forget: unused },
    status: unused, inspect: unused, summon: unused, isSignal: (name): name is 'SIGHUP' => name === 'SIGHUP', signalObstacle: unused, handOver: unused, spawn: unused, history: unused, logs: unused, watch: unused, ...more,
  };
  const route = makeRoute(outside);
  const exchange = { signal: new AbortController().signal, write: unused, peerDescriptor: () => null };
  const ask = async (request: Request): Promise<void> => {
    void route(request, exchange);
    await Promise.resolve();
  };
  const answer = async (request: Request): Promise<string> => {
    const response = await route(request, exchange);
    return response?.kind === 'message' ? response.text : response?.kind === 'error' ? `error: ${response.text}` : String(response?.kind);
  };
  return { ...it, ask, answer, accepted, write: (...next) => void (file = next) };
}

const api = specOf({ name: 'api' });
const other = specOf({ name: 'other' });
const newer: ServiceSpec = { ...api, definition: { process: 'p2', policy: 'q1' } };

const ASKED: readonly Request[] = [{ kind: 'start', service: 'other' }, { kind: 'restart', config: null, service: null }];

describe.for(ASKED)('another request meanwhile takes back nothing of a change: $kind', (request) => {
  /** `api` runs, `other` is down, and the file has a new `api`. */
  function changed(before: ServiceSpec, after: ServiceSpec): Routed {
    const it = routed([before, other]);
    it.report('api', 'process.spawned');
    if (before.check === null) it.elapse('api');
    else it.report('api', 'probe.ok');
    it.come('other');
    it.send({ type: 'stop', units: ['other'] });
    it.go('other');
    it.write(after, other);
    return it;
  }

  test('the definition that a restart has read is what comes after the process that still ends', async () => {
    const it = changed(api, newer);
    await it.ask({ kind: 'restart', config: null, service: 'api' });
    await it.ask(request);
    it.go('api');
    expect(it.inputs.get('api 2')?.spec.definition).toEqual(newer.definition);
  });

  test('a service that becomes a cron unit becomes one', async () => {
    const it = changed(api, { ...newer, cron: { expression: '* * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } });
    await it.ask({ kind: 'reload', config: null });
    await it.ask(request);
    it.go('api');
    expect(it.root.getSnapshot().context.units.get('api')?.spec.cron).not.toBeNull();
  });

  test('a definition goes on to have room for the slot, which its present instance has filled', async () => {
    const check = { probe: { kind: 'url', url: 'http://{slot}/', expectStatus: null }, intervalMs: 1000, timeoutMs: 1000, attemptTimeoutMs: null, retries: 1, startPeriodMs: 0, onUnhealthy: 'none' } as const;
    const blueGreen = { envVar: 'SLOT', slots: ['blue', 'green'], switchCommand: 'true', candidateCheck: null, switchVerify: null, statePath: null } as const;
    const slotted: ServiceSpec = { ...api, check, deployment: { ...api.deployment, strategy: 'rolling', blueGreen } };
    const it = changed(slotted, slotted);
    await it.ask(request);
    expect(it.root.getSnapshot().context.units.get('api')?.spec.check).toEqual(check);
  });
});

describe('a one-shot that has completed', () => {
  const migrate = specOf({ name: 'migrate', restart: { oneshot: true } });
  const restart: Request = { kind: 'restart', config: null, service: null };

  function completed(): Routed {
    const it = routed([migrate]);
    it.come('migrate');
    it.go('migrate');
    return it;
  }

  test.for<readonly Request[]>([[restart], [{ kind: 'reload', config: null }, restart]])('runs again when all are restarted and its definition has changed since it ran: %j', async (requests) => {
    const it = completed();
    it.write({ ...migrate, definition: newer.definition });
    for (const request of requests) await it.ask(request);
    expect(it.inputs.get('migrate 2')?.spec.definition).toEqual(newer.definition);
    it.come('migrate');
    it.go('migrate');
    await it.ask(restart);
    expect(it.state('migrate')).toBe('stopped');
  });

  test('runs again with the others when nobody has said that it is one, as with systemg 0.33.0', async () => {
    const it = routed([specOf({ name: 'setup' })]);
    it.come('setup');
    it.go('setup');
    const answer = it.answer(restart);
    await settled();
    it.come('setup');
    expect([await answer, it.effects.filter((effect) => effect.startsWith('spawn'))]).toEqual(['All services restarted', ['spawn setup 1', 'spawn setup 2']]);
  });

  test('does not when a change was taken back', async () => {
    const it = completed();
    it.write({ ...migrate, definition: newer.definition });
    await it.ask({ kind: 'reload', config: null });
    it.write(migrate);
    await it.ask(restart);
    expect(it.state('migrate')).toBe('stopped');
  });

  test.for([[newer.definition, 'spawning'], [migrate.definition, 'stopped']] as const)('under another supervisor, which has %j, it is %s', async ([definition, state]) => {
    const before = completed();
    // Written to the ledger once more.
    await before.ask({ kind: 'reload', config: null });
    const it = routed([{ ...migrate, definition }], { adopt: [{ record: before.records.get('migrate'), verdict: 'rest' }] });
    await it.ask(restart);
    expect(it.state('migrate')).toBe(state);
  });
});

describe('what a client is told', () => {
  const db = specOf({ name: 'db' });
  const web = specOf({ name: 'web', dependsOn: [{ service: 'db', condition: 'started', onRestart: 'ignore' }] });
  const tick = specOf({ name: 'tick', cron: { expression: '0 3 * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } });
  const unreadable = { readConfig: () => ({ ok: false, problems: 'bad', error: 'the file is bad' } as const) };

  /** All services of these run, and a cron unit waits. */
  function up(specs: readonly ServiceSpec[] = [db, web, tick], more: Partial<RouteOutside> = {}): Routed {
    const it = routed(specs, undefined, more);
    for (const { name, cron } of specs) if (cron === null) it.come(name);
    return it;
  }

  function down(it: Routed, ...names: readonly string[]): void {
    for (const name of names) {
      it.send({ type: 'stop', units: [name] });
      it.go(name);
    }
  }

  test('a start answers when the service is up, and says of one that is up that it is', async () => {
    const it = up();
    expect(await it.answer({ kind: 'start', service: 'db' })).toBe("Service 'db' is already running");
    down(it, 'web');
    const answer = it.answer({ kind: 'start', service: 'web' });
    await settled();
    it.come('web');
    expect(await answer).toBe("Service 'web' started");
    expect(it.accepted).toEqual([{ command: 'start', unit: 'db', asker: {} }, { command: 'start', unit: 'web', asker: {} }]);
  });

  test('a start of all begins no run of a cron unit', async () => {
    const it = up();
    down(it, 'web', 'db');
    const answer = it.answer({ kind: 'start', service: null });
    await settled();
    it.come('db');
    it.come('web');
    expect(await answer).toBe('All services started');
    expect(it.effects.filter((effect) => effect.startsWith('spawn'))).toEqual(['spawn db 1', 'spawn web 1', 'spawn db 2', 'spawn web 2']);
  });

  test('a start that fails says of which service, and why; on request the units are data beside that', async () => {
    const it = up([specOf({ name: 'db', restart: { mode: 'never' } })]);
    down(it, 'db');
    const answer = it.answer({ kind: 'start', service: 'db' });
    await settled();
    it.report('db', 'process.refused', { reason: 'no such program' });
    it.report('db', 'process.gone');
    expect(await answer).toBe("error: Failed to start service 'db': no such program");
  });

  test('what no file knows is not started, stopped, restarted or signalled, and nothing is recorded', async () => {
    const it = up(undefined, { summon: () => null });
    for (const request of [
      { kind: 'start', service: 'wbe' }, { kind: 'stop', service: 'wbe' }, { kind: 'restart', config: null, service: 'wbe' }, { kind: 'signal', unit: 'wbe', signal: 'SIGHUP' },
    ] as const) expect(await it.answer(request)).toBe("error: Service 'wbe' not found in configuration, did you mean 'web'?");
    it.write(db, web, tick, api);
    expect(await it.answer({ kind: 'restart', config: null, service: 'api' })).toMatch(/^error: Service 'api' not found/);
    it.write(db);
    expect(await it.answer({ kind: 'restart', config: null, service: 'web' })).toMatch(/^error: Service 'web' not found/);
    expect(it.accepted).toEqual([]);
  });

  test('a service that was left out comes beside the others with what it needs, and not again what is there', async () => {
    const taken: (readonly string[])[] = [];
    const it = up([db], {
      summon: () => ({ ok: true, path: '/project/sysg.yaml', specs: [db, web], adHoc: new Set(), metrics: null, kept: { path: '', source: { kind: 'list', offset: 0, items: [] }, included: {}, envFiles: {}, units: {} } }),
      adoptConfig: ({ specs }) => void taken.push(specs.map(({ name }) => name)),
    });
    const answer = it.answer({ kind: 'start', service: 'web' });
    await settled();
    it.come('web');
    expect([await answer, taken]).toEqual(["Service 'web' started", [['db', 'web']]]);
    expect(it.accepted).toEqual([{ command: 'start', unit: 'web', asker: {} }]);
  });

  test('a file that cannot be read keeps what is asked for from being done, other than the start of what runs', async () => {
    const it = up(undefined, unreadable);
    down(it, 'web');
    for (const request of [
      { kind: 'start', service: 'web' }, { kind: 'restart', config: null, service: 'db' }, { kind: 'restart', config: null, service: null }, { kind: 'reload', config: null }, { kind: 'plan', config: null },
    ] as const) expect(await it.answer(request)).toBe('error: the file is bad');
    expect(it.accepted).toEqual([]);
    expect(await it.answer({ kind: 'start', service: 'db' })).toBe("Service 'db' is already running");
  });

  test('a service that is down starts as the file defines it now, and the others stay as they were', async () => {
    const it = up();
    down(it, 'web');
    const definition = { process: 'p2', policy: 'q1' };
    it.write({ ...db, definition }, { ...web, definition }, tick);
    await it.ask({ kind: 'start', service: 'web' });
    await settled();
    it.write(db, tick);
    down(it, 'web');
    await it.ask({ kind: 'start', service: 'web' });
    await settled();
    expect(it.inputs.get('web 3')?.spec.definition, 'what no file has any more starts as it was').toEqual(definition);
    expect([it.inputs.get('web 2')?.spec.definition, it.root.getSnapshot().context.units.get('db')?.spec.definition]).toEqual([definition, db.definition]);
  });

  test.for([[true, 'running', " (still running without it: web)"], [undefined, 'running', ''], [true, 'down', '']] as const)('a stop with notes %j says of a dependent that is %s: %j', async ([notes, dependent, note]) => {
    const it = up();
    if (dependent === 'down') down(it, 'web');
    const answer = it.answer({ kind: 'stop', service: 'db', ...(notes !== undefined && { notes }) });
    await settled();
    it.go('db');
    expect(await answer).toBe(`Service 'db' stopped${note}`);
  });

  test('a stop with notes of a service that nothing needs', async () => {
    const it = up();
    const answer = it.answer({ kind: 'stop', service: 'web', notes: true });
    await settled();
    it.go('web');
    expect(await answer).toBe("Service 'web' stopped");
  });

  test('a stop of all', async () => {
    const it = up([db, web]);
    const answer = it.answer({ kind: 'stop', service: null });
    await settled();
    it.go('web');
    it.go('db');
    expect([await answer, it.accepted]).toEqual(['All services stopped', [{ command: 'stop', unit: null, asker: {} }]]);
  });

  test('only a unit beside the configuration is forgotten, after its stop', async () => {
    const adHoc = { add: () => ({ ok: false, reason: 'no' } as const), has: (name: string) => name === 'web', forget: () => null };
    const it = up(undefined, { adHoc });
    expect(await it.answer({ kind: 'stop', service: 'db', forget: true })).toBe("error: Service 'db' belongs to the configuration: remove it from the file, then run sysg reload");
    expect(await it.answer({ kind: 'stop', service: null, forget: true })).toBe('error: expected a unit to forget');
    expect([it.accepted, it.effects.filter((effect) => effect.startsWith('SIG'))]).toEqual([[], []]);
    const answer = it.answer({ kind: 'stop', service: 'web', forget: true });
    await settled();
    expect(it.state('web')).not.toBe('absent');
    it.go('web');
    expect([await answer, it.state('web'), it.state('db')]).toEqual(["Service 'web' stopped and forgotten", 'absent', 'running']);
    expect(it.accepted).toEqual([{ command: 'stop', unit: 'web', asker: {}, detail: { forget: true } }]);
  });

  test('a unit that cannot be forgotten is kept, and that is said', async () => {
    const it = up(undefined, { adHoc: { add: () => ({ ok: false, reason: 'no' }), has: () => true, forget: () => 'the disk is full' } });
    const answer = it.answer({ kind: 'stop', service: 'web', forget: true });
    await settled();
    it.go('web');
    expect([await answer, it.state('web')]).toEqual(['error: the disk is full', 'stopped']);
  });

  test('a command becomes a unit beside the others, starts again when it is known, and is refused with the reason', async () => {
    const add: Request = { kind: 'add', name: 'web', command: ['web'], directory: '/' };
    const known = { isKnown: false, reason: '' };
    const it = up([db], { adHoc: { add: () => (known.reason === '' ? { ok: true, spec: web, isKnown: known.isKnown } : { ok: false, reason: known.reason }), has: () => true, forget: () => null } });
    const answer = it.answer(add);
    await settled();
    it.come('web');
    expect([await answer, it.state('db')]).toEqual(["Service 'web' started", 'running']);
    known.isKnown = true;
    expect(await it.answer(add)).toBe("Service 'web' is already running");
    known.reason = 'the name is taken';
    expect(await it.answer(add)).toBe('error: the name is taken');
    expect(it.accepted).toEqual([{ command: 'start', unit: 'web', asker: {}, detail: { command: 'web' } }, { command: 'start', unit: 'web', asker: {} }]);
  });

  test('a restart answers when the next process is up, and at once when nobody waits', async () => {
    const it = up();
    const answer = it.answer({ kind: 'restart', config: null, service: 'db' });
    await settled();
    it.go('db');
    it.come('db');
    expect([await answer, it.accepted]).toEqual(["Service 'db' restarted", [{ command: 'restart', unit: 'db', asker: {} }]]);
    expect(await it.answer({ kind: 'restart', config: null, service: 'db', wait: false })).toBe(acceptance("Restart of service 'db'"));
    expect(await it.answer({ kind: 'restart', config: null, service: null, wait: false })).toBe(acceptance('Restart of all services'));
  });

  test.for([[true, undefined, ' (not run again, as completed: once; with --all they are)'], [undefined, undefined, ''], [true, true, null]] as const)('a restart of all with notes %j and all %j leaves what has completed', async ([notes, all, note]) => {
    const once = specOf({ name: 'once', restart: { oneshot: true } });
    const it = up([db, once, tick]);
    it.go('once');
    const answer = it.answer({ kind: 'restart', config: null, service: null, ...(notes !== undefined && { notes }), ...(all !== undefined && { all }) });
    await settled();
    it.go('db');
    it.come('db');
    if (note === null) it.come('once');
    expect(await answer).toBe(`All services restarted${note ?? ''}`);
    expect(it.effects.filter((effect) => effect.startsWith('spawn once'))).toEqual(note === null ? ['spawn once 1', 'spawn once 2'] : ['spawn once 1']);
    expect(it.accepted).toEqual([{ command: 'restart', unit: null, asker: {}, detail: { config: '/project/sysg.yaml' } }]);
  });

  test('a restart of all starts what the file has new and waits for that, ends what it has no more, and begins nothing that was stopped', async () => {
    const files: string[] = [];
    const it = up([db, other, tick], { adoptConfig: ({ path }) => void files.push(path) });
    down(it, 'other');
    it.write(other, api, tick);
    const answer = it.answer({ kind: 'restart', config: null, service: null });
    expect(await Promise.race([answer, settled()])).toBeUndefined();
    // What is removed makes way first.
    it.go('db');
    it.come('api');
    expect([await answer, files]).toEqual(['All services restarted', ['/project/sysg.yaml']]);
    expect([it.state('api'), it.state('db'), it.state('other')]).toEqual(['running', 'absent', 'stopped']);
  });

  test('a restart of all ends what the file has no more also where it has nothing new, and restarts once what it has changed', async () => {
    const it = up([db, other]);
    it.write({ ...db, definition: { process: 'p2', policy: 'q1' } });
    const answer = it.answer({ kind: 'restart', config: null, service: null });
    await settled();
    it.go('other');
    it.go('db');
    it.come('db');
    expect([await answer, it.state('other'), it.state('db')]).toEqual(['All services restarted', 'absent', 'running']);
    expect(it.effects.filter((effect) => /db/.test(effect))).toEqual(['spawn db 1', 'SIGTERM db 1', 'spawn db 2']);
  });

  test('a restart of all replaces a service that rolls once', async () => {
    const rolling: ServiceSpec = { ...db, deployment: { ...db.deployment, strategy: 'rolling' } };
    const it = up([rolling]);
    it.write({ ...rolling, definition: { process: 'p2', policy: 'q1' } });
    await it.ask({ kind: 'restart', config: null, service: null });
    await settled();
    // And not for the reload of the file first, to give that up for the restart.
    expect([it.effects, it.step('db')]).toEqual([['spawn db 1', 'spawn db 2'], 'starting']);
  });

  test('a restart of all names what did not come up again', async () => {
    const it = up([specOf({ name: 'db', restart: { mode: 'never' } })]);
    const answer = it.answer({ kind: 'restart', config: null, service: null });
    await settled();
    it.go('db');
    it.report('db', 'process.refused', { reason: 'no such program' });
    it.report('db', 'process.gone');
    expect(await answer).toBe("error: Failed to start service 'db': no such program");
  });

  test('a reload says what it means, and a plan does nothing', async () => {
    const files: string[] = [];
    const it = up(undefined, { adoptConfig: ({ path }) => void files.push(path) });
    it.write(db, tick, api);
    expect(await it.answer({ kind: 'plan', config: null })).toBe('plan');
    expect([it.state('api'), it.accepted, files]).toEqual(['absent', [], []]);
    expect(await it.answer({ kind: 'reload', config: null })).toMatch(/^Configuration reloaded: 1 added, 1 removed/);
    it.go('web');
    expect([it.state('api'), files, it.accepted]).toEqual(['spawning', ['/project/sysg.yaml'], [{ command: 'reload', unit: null, asker: {}, detail: { config: '/project/sysg.yaml' } }]]);
  });

  test('a signal goes to a process that may get it, by a name that is one', async () => {
    let obstacle: string | null = null;
    const it = up(undefined, { signalObstacle: () => obstacle });
    expect(await it.answer({ kind: 'signal', unit: 'db', signal: 'HUP' })).toBe("error: 'HUP' is not a signal; expected a name such as SIGHUP or SIGUSR1");
    expect(await it.answer({ kind: 'signal', unit: 'tick', signal: 'SIGHUP' })).toBe("error: Service 'tick' has no process to signal (waiting)");
    expect(await it.answer({ kind: 'signal', unit: 'db', signal: 'SIGHUP' })).toBe("SIGHUP sent to service 'db' (pid 101)");
    obstacle = 'it ends';
    expect(await it.answer({ kind: 'signal', unit: 'db', signal: 'SIGHUP' })).toBe("error: SIGHUP was not sent to service 'db' (pid 101): it ends");
    expect([it.accepted.length, it.effects.filter((effect) => effect.endsWith('db 1')).length]).toEqual([1, 2]);
    expect(it.accepted).toEqual([{ command: 'signal', unit: 'db', asker: {}, detail: { signal: 'SIGHUP', to_pid: 101 } }]);
  });

  describe('a client that a unit may be waiting for', () => {
    const called = (caller: Caller): Partial<RouteOutside> => ({ callerOf: () => Promise.resolve(caller) });

    test.for<readonly [Caller, string, string]>([
      // Web waits for db, so that db must not wait for web.
      [{ unit: 'db', isService: true }, 'web', 'goes on'], [{ unit: 'web', isService: true }, 'other', 'waits'], [{ unit: 'web', isService: false }, 'other', 'goes on'],
    ])('%j, and asks for a start of %s: %s', async ([caller, service, what]) => {
      const it = up([db, web, other], called(caller));
      down(it, service);
      const answer = it.answer({ kind: 'start', service });
      await settled();
      if (what === 'waits') it.come(service);
      expect(await answer).toBe(what === 'waits' ? `Service '${service}' started` : acceptance(`Start of service '${service}'`));
    });

    test('is told of stops, shutdowns and hand-overs that they were accepted', async () => {
      const it = up([db], { ...called({ unit: 'db', isService: false }), handOver: () => null });
      expect(await it.answer({ kind: 'stop', service: 'db' })).toBe(acceptance("Stop of service 'db'"));
      expect(await it.answer({ kind: 'stop', service: null })).toBe(acceptance('Stop of all services'));
      expect(await it.answer({ kind: 'start', service: null })).toBe(acceptance('Start of all services'));
      expect(await it.answer({ kind: 'handover' })).toBe(acceptance('Restart of the supervisor'));
      expect(await it.answer({ kind: 'shutdown' })).toBe(acceptance('Stop of the supervisor'));
    });
  });

  test('a hand-over is answered with what keeps the supervisor from it, or with what happens to the services', async () => {
    let refusal: string | null = 'the program is gone';
    const it = up([db], { handOver: () => refusal });
    expect([await it.answer({ kind: 'handover' }), it.accepted]).toEqual(['error: the program is gone', []]);
    refusal = null;
    expect([await it.answer({ kind: 'handover' }), it.accepted.length]).toEqual(['Supervisor restarting; services go on', 1]);
  });

  test('a shutdown answers when all has ended, and until then nothing is begun; who asked is recorded', async () => {
    const it = up([db], { askerOf: () => Promise.resolve({ uid: 7 }), status: () => ({}) as never, handOver: () => null });
    const answer = it.answer({ kind: 'shutdown' });
    await settled();
    for (const request of [
      { kind: 'start', service: 'db' }, { kind: 'add', name: 'x', command: ['x'], directory: '/' }, { kind: 'restart', config: null, service: null }, { kind: 'reload', config: null }, { kind: 'handover' },
    ] as const) expect(await it.answer(request)).toBe('error: the supervisor is shutting down');
    expect(await it.answer({ kind: 'status' })).toBe('status');
    expect(await Promise.race([answer, settled()])).toBeUndefined();
    it.go('db');
    expect(it.facts).toContainEqual(expect.objectContaining({ type: 'supervisor.ended', exitCode: 0 }));
    expect([await answer, it.accepted]).toEqual(['Supervisor shutting down', [{ command: 'shutdown', unit: null, asker: { uid: 7 } }]]);
  });
});

/** What a request does before it waits for units is done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
