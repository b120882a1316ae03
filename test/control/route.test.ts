import { describe, expect, test } from 'vitest';
import type { RouteOutside } from '../../src/control/outside.ts';
import { makeRoute } from '../../src/control/route.ts';
import type { Request } from '../../src/wire/requests.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import { world, type Boot, type World } from '../machines/supervisor-rig.ts';

interface Routed extends World {
  /** Sends a request and does not wait for its answer. */
  ask(request: Request): Promise<void>;
  /** The units of the file from now on. */
  write(...specs: readonly ServiceSpec[]): void;
}

/** A route before a supervisor whose processes are scripted. */
function routed(specs: readonly ServiceSpec[], boot: Boot = { start: specs.map(({ name }) => name) }): Routed {
  const it = world(specs, boot);
  let file = specs;
  let tickets = 0;
  const unused = () => {
    throw new Error('no request of this test needs it');
  };
  const outside: RouteOutside = {
    tickets: {
      open: (_, issue) => {
        issue(tickets += 1);
        return new Promise(() => undefined);
      },
    },
    snapshot: () => it.root.getSnapshot(), callerOf: () => Promise.resolve(null), now: it.now, send: (command) => it.root.send(command),
    readConfig: () => ({
      ok: true, path: '/project/sysg.yaml', specs: file, adHoc: new Set(), metrics: null, kept: { path: '/project/sysg.yaml', source: { kind: 'list', offset: 0, items: [] }, included: {}, envFiles: {}, units: {} },
    }),
    adoptConfig: () => undefined, slots: () => ({}), record: () => undefined, askerOf: () => Promise.resolve({}),
    adHoc: { add: unused, has: () => false, forget: unused },
    status: unused, inspect: unused, summon: unused, isSignal: (name): name is 'SIGHUP' => name === 'SIGHUP', signalObstacle: unused, handOver: unused, spawn: unused, history: unused, logs: unused, watch: unused,
  };
  const route = makeRoute(outside);
  const exchange = { signal: new AbortController().signal, write: unused, peerDescriptor: () => null };
  const ask = async (request: Request): Promise<void> => {
    void route(request, exchange);
    await Promise.resolve();
  };
  return { ...it, ask, write: (...next) => void (file = next) };
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
