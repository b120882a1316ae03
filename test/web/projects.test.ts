import { mkdirSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Call } from '../../src/cli/call.ts';
import { runtimePaths } from '../../src/runtime-paths.ts';
import { until } from '../until.ts';
import { answering, makeCall, makeWeb, readEvents, unit } from './rig.ts';

/** The same user's supervisor of a project. */
function inProject(call: Call, project: string): Call {
  const paths = runtimePaths({ system: false, env: call.env, project });
  mkdirSync(paths.stateDir, { recursive: true, mode: 0o700 });
  return { ...call, paths };
}

/** A supervisor without a project, and that of `shop`; both have a unit `web`. */
async function two() {
  const call = makeCall();
  const shop = inProject(call, 'shop');
  const own = await answering(call, { units: [unit('web'), unit('db', { health: 'degraded' })] });
  const other = await answering(shop, { units: [unit('web', { phase: 'failed', health: 'failing' })] });
  return { call, shop, own, other, web: makeWeb(call, { every: true }) };
}

test('each question is answered by the supervisor of the project that it names, else by the first one', async () => {
  const { web: { ask } } = await two();
  const phase = async (query: string): Promise<unknown> => ((await (await ask(`/api/v1/units/web${query}`)).json()) as { row: { phase: string } }).row.phase;
  expect([await phase(''), await phase('?project=-'), await phase('?project=shop')]).toEqual(['running', 'running', 'failed']);
  expect(await (await ask('/api/v1/projects')).json()).toEqual({
    every: true,
    projects: [
      expect.objectContaining({ name: '-', units: 2, health: 'healthy', problem: null }), expect.objectContaining({ name: 'shop', units: 1, health: 'healthy', problem: null }),
    ],
  });
  const nowhere = await ask('/api/v1/units/web?project=nope');
  expect([nowhere.status, await nowhere.json()]).toEqual([404, expect.objectContaining({ detail: "project: there is no supervisor of 'nope' here, expected one of -, shop" })]);
  const { paths } = (await (await ask('/api/v1/openapi.json')).json()) as { paths: Record<string, { get?: { parameters: { name: string }[] } }> };
  expect(paths['/units/{unit}/why']?.get?.parameters.map(({ name }) => name)).toEqual(['unit', 'project']);
});

test('an order reaches the supervisor that it names and no other; without a name it is refused where there are several', async () => {
  const { own, other, shop, web: { ask, post } } = await two();
  const order = { verb: 'stop', units: ['web'] };
  const refused = await post('/api/v1/actions', order);
  expect([refused.status, await refused.json()]).toEqual([400, expect.objectContaining({ detail: 'project: expected one of -, shop, since there are several' })]);
  expect((await post('/api/v1/actions?project=shop', order)).status).toBe(202);
  const tickets = async (project: string): Promise<readonly { readonly state: string }[]> => (
    ((await (await ask(`/api/v1/tickets?project=${project}`)).json()) as { tickets: { state: string }[] }).tickets);
  await until('it is settled', async () => (await tickets('shop'))[0]?.state === 'settled');
  expect([own.asked.includes('stop'), other.asked.includes('stop'), await tickets('-')]).toEqual([false, true, []]);
  rmSync(shop.paths.stateDir, { recursive: true });
  expect((await post('/api/v1/actions', order)).status, 'one is left').toBe(202);
});

test('each project has a watch of its own, for the pages that show it', async () => {
  const { own, other, web: { ask } } = await two();
  const [event] = (await readEvents(await ask('/api/v1/events?project=shop'), (events) => events.length > 0)).filter((one) => one.event === 'units');
  expect(event?.data).toMatchObject({ changed: [expect.objectContaining({ name: 'web', health: 'failing' })] });
  expect([own.asked.includes('watch'), other.asked.includes('watch')]).toEqual([false, true]);
});

test('samples have the label of their project where there are several supervisors, and each family stands once', async () => {
  const { call, shop, web: { ask } } = await two();
  const text = await (await ask('/metrics')).text();
  expect(text).toContain('sysg_up{project="-"} 1\nsysg_up{project="shop"} 1\n');
  expect(text).toContain('sysg_unit_state{project="shop",unit="web",state="failed"} 1\n');
  expect(text.match(/^# TYPE sysg_unit_state /gm)).toHaveLength(1);
  expect(await (await makeWeb(call).ask('/metrics')).text()).toContain('\nsysg_up 1\n');
  rmSync(shop.paths.stateDir, { recursive: true });
  expect(await (await ask('/metrics')).text()).toContain('\nsysg_up 1\n');
});

test('a server of one supervisor has no other', async () => {
  const { call } = await two();
  const { ask, post } = makeWeb(call);
  expect(await (await ask('/api/v1/projects')).json()).toMatchObject({ every: false, projects: [{ name: '-' }] });
  expect((await ask('/api/v1/status?project=shop')).status).toBe(404);
  expect((await post('/api/v1/actions', { verb: 'stop', units: ['web'] })).status).toBe(202);
});
