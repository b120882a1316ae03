import { expect, test } from 'vitest';
import type { Exchange, Route } from '../../src/control/connection.ts';
import type { ReadConfig } from '../../src/control/outside.ts';
import { orphanText, type Orphan } from '../../src/compat/orphans.ts';
import { routeOrphans, withoutOrphans } from '../../src/daemon/orphan-route.ts';
import type { Request } from '../../src/wire/requests.ts';

const orphan: Orphan = { name: 'old', pid: 7, pgid: null, members: [{ pid: 7, startTime: '1', bootId: 'b' }] };
const secondCopy = "Service 'old' runs without supervision, left by another supervisor, and would be started a second time; to end it first: sysg stop -s old";

/** What becomes of a request while `old` lives, and what was done for it. */
async function asked(request: Request, ends = true, rest: Awaited<ReturnType<Route>> = { kind: 'message', text: 'routed' }): Promise<{ readonly answer: unknown; readonly done: readonly string[] }> {
  const done: string[] = [];
  const route = routeOrphans({ living: () => [orphan], end: (name) => {
    done.push(`end ${name}`);
    return Promise.resolve(ends);
  } }, (passed) => {
    done.push(passed.kind);
    return Promise.resolve(rest);
  }, async ({ service }) => {
    await Promise.resolve();
    done.push(`record ${service}`);
  });
  return { answer: await route(request, {} as Exchange), done };
}

test('of all requests a stop that names it ends what another supervisor left running, and is recorded before', async () => {
  const stop = { kind: 'stop', service: 'old' } as const;
  expect(await asked(stop)).toEqual({ answer: { kind: 'message', text: "Service 'old' stopped" }, done: ['record old', 'end old'] });
  expect((await asked({ ...stop, settlements: true })).answer).toEqual({ kind: 'message', text: "Service 'old' stopped", units: [{ unit: 'old', result: 'stopped' }] });
  expect((await asked(stop, false)).answer).toEqual({ kind: 'error', text: "Failed to stop service 'old': some of its processes survive SIGKILL" });
});

test.each<Request>([
  { kind: 'stop', service: 'web' }, { kind: 'stop', service: null }, { kind: 'stop', service: 'old', forget: true }, { kind: 'start', service: 'web' }, { kind: 'start', service: null },
  { kind: 'restart', config: null, service: 'old' }, { kind: 'inspect', unit: 'old', samples: 1 },
])('what does not mean it goes the usual way: %o', async (request) => {
  expect(await asked(request)).toEqual({ answer: { kind: 'message', text: 'routed' }, done: [request.kind] });
});

test.each<Request>([{ kind: 'start', service: 'old' }, { kind: 'add', name: 'old', command: ['true'], directory: '/' }])('no unit of its name is started beside it: %o', async (request) => {
  expect(await asked(request)).toEqual({ answer: { kind: 'error', text: secondCopy }, done: [] });
});

test('a configuration with a unit of its name is refused, and any other one is left as it is', () => {
  const config = (...names: string[]): ReadConfig => ({ ok: true, specs: names.map((name) => ({ name })) } as unknown as ReadConfig);
  const orphans = { living: () => [orphan], end: () => null };
  expect(withoutOrphans(orphans, config('web', 'old'))).toEqual({ ok: false, problems: secondCopy, error: secondCopy });
  for (const other of [config('web'), { ok: false, problems: 'p', error: 'e' } as const]) expect(withoutOrphans(orphans, other)).toBe(other);
});

test('the answer to a shutdown says what goes on, and an error stays as it is', async () => {
  expect((await asked({ kind: 'shutdown' })).answer).toEqual({ kind: 'message', text: `routed; ${orphanText(orphan)}` });
  for (const rest of [null, { kind: 'error', text: 'no' } as const]) expect((await asked({ kind: 'shutdown' }, true, rest)).answer).toBe(rest);
});
