import { describe, expect, test } from 'vitest';
import type { RouteOutside } from '../../src/control/outside.ts';
import { makeRoute } from '../../src/control/route.ts';
import type { Request } from '../../src/wire/requests.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import { world, type World } from '../machines/supervisor-rig.ts';

interface Routed extends World {
  /** Sends a request for which nobody waits. */
  ask(request: Request): void;
  /** The units of the file from now on. */
  write(...specs: readonly ServiceSpec[]): void;
}

/** A route before a supervisor whose processes are scripted. */
function routed(...specs: readonly ServiceSpec[]): Routed {
  const it = world(specs, { start: specs.map(({ name }) => name) });
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
  return { ...it, ask: (request) => void route(request, exchange), write: (...next) => void (file = next) };
}

const api = specOf({ name: 'api' });
const other = specOf({ name: 'other' });
const newer: ServiceSpec = { ...api, definition: { process: 'p2', policy: 'q1' } };

const ASKED: readonly Request[] = [{ kind: 'start', service: 'other' }, { kind: 'restart', config: null, service: null }];

describe.for(ASKED)('another request meanwhile takes back nothing of a change: $kind', (request) => {
  /** `api` runs, `other` is down, and the file has a new `api`. */
  function changed(before: ServiceSpec, after: ServiceSpec): Routed {
    const it = routed(before, other);
    it.report('api', 'process.spawned');
    if (before.check === null) it.elapse('api');
    else it.report('api', 'probe.ok');
    it.come('other');
    it.send({ type: 'stop', units: ['other'] });
    it.go('other');
    it.write(after, other);
    return it;
  }

  async function ask(it: Routed, ...requests: readonly Request[]): Promise<void> {
    for (const each of requests) {
      it.ask(each);
      await Promise.resolve();
    }
  }

  test('the definition that a restart has read is what comes after the process that still ends', async () => {
    const it = changed(api, newer);
    await ask(it, { kind: 'restart', config: null, service: 'api' }, request);
    it.go('api');
    expect(it.inputs.get('api 2')?.spec.definition).toEqual(newer.definition);
  });

  test('a service that becomes a cron unit becomes one', async () => {
    const it = changed(api, { ...newer, cron: { expression: '* * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } });
    await ask(it, { kind: 'reload', config: null }, request);
    it.go('api');
    expect(it.root.getSnapshot().context.units.get('api')?.spec.cron).not.toBeNull();
  });

  test('a definition goes on to have room for the slot, which its present instance has filled', async () => {
    const check = { probe: { kind: 'url', url: 'http://{slot}/', expectStatus: null }, intervalMs: 1000, timeoutMs: 1000, attemptTimeoutMs: null, retries: 1, startPeriodMs: 0, onUnhealthy: 'none' } as const;
    const blueGreen = { envVar: 'SLOT', slots: ['blue', 'green'], switchCommand: 'true', candidateCheck: null, switchVerify: null, statePath: null } as const;
    const slotted: ServiceSpec = { ...api, check, deployment: { ...api.deployment, strategy: 'rolling', blueGreen } };
    const it = changed(slotted, slotted);
    await ask(it, request);
    expect(it.root.getSnapshot().context.units.get('api')?.spec.check).toEqual(check);
  });
});
