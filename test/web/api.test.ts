import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { until } from '../until.ts';
import type { JournalRecord } from '../../src/wire/payloads.ts';
import { rehearse } from '../../src/web/order-routes.ts';
import { specOf } from '../machines/rig.ts';
import { answering, makeCall, makeWeb, readEvents, unit } from './rig.ts';

const change = (seq: number, name: string, from: string, to: string, more: Partial<JournalRecord> = {}): JournalRecord => (
  { seq, at: `2026-01-01T00:00:${String(seq).padStart(2, '0')}.000Z`, unit: name, event: 'test', from, to, ...more });
const body = async (response: Response): Promise<Record<string, unknown>> => await response.json() as Record<string, unknown>;

test('without a supervisor each answer says so, as problem+json', async () => {
  const { ask, post } = makeWeb(makeCall());
  for (const path of ['/status', '/units/web', '/units/web/why', '/plan']) {
    const answer = await ask(`/api/v1${path}`);
    expect(answer.headers.get('content-type'), path).toBe('application/problem+json');
    expect(await body(answer)).toMatchObject({ status: 503, type: 'urn:sysg:problem:no-supervisor', detail: expect.stringContaining('no supervisor is running') });
  }
  expect((await post('/api/v1/actions', { verb: 'stop', units: ['web'] })).status).toBe(503);
  expect(await body(await ask('/api/v1/supervisor'))).toMatchObject({ stage: 'gone', present: [] });
});

test('an unknown unit is a 404 that names it, and what is asked wrongly a 400', async () => {
  const call = makeCall();
  await answering(call, { units: [unit('web')] });
  const { ask, post } = makeWeb(call);
  expect(await body(await ask('/api/v1/units/nope/why'))).toMatchObject({ status: 404, detail: expect.stringContaining("'nope'") });
  for (const path of ['/units/web/logs?lines=-1', '/units/web/logs?lines=1e9', '/units/web/logs?stream=all2', '/units/web/metrics?window=2y', '/history?limit=x']) {
    expect((await ask(`/api/v1${path}`)).status, path).toBe(400);
  }
  for (const [order, about] of [
    [{ verb: 'explode', units: ['web'] }, 'verb'], [{ verb: 'stop' }, 'expected the units'], [{ verb: 'stop', units: ['wbe'] }, "did you mean 'web'"], [{ verb: 'stop', units: 'web' }, 'a list'],
    [{ verb: 'run', units: ['web'] }, 'no cron unit'], [{ verb: 'signal', units: ['web'], signal: 'SIGNOPE' }, 'signal'], [{ verb: 'reload', units: ['web'] }, 'expected none'],
    [{ verb: 'stop', units: ['web'], signal: 'HUP' }, 'expected none with verb stop'], [{ verb: 'reload', unit: 'web' }, "unknown key 'unit', did you mean 'units'"],
    [{ verb: 'stop', units: ['web'], project: 'shop' }, "unknown key 'project', expected verb, units, signal"], ['{', 'no JSON'], ['[]', 'an object'],
  ] as const) expect(await body(await post('/api/v1/actions', order)), about).toMatchObject({ status: 400, detail: expect.stringContaining(about) });
});

test('one watch for all pages: rows first, then what changed; it ends with the last page', async () => {
  const call = makeCall();
  const state = { units: [unit('web'), unit('db')] };
  const supervisor = await answering(call, state);
  const { ask } = makeWeb(call);
  const [one, other] = [await ask('/api/v1/events'), await ask('/api/v1/events')];
  const seen = Promise.all([one, other].map((stream) => readEvents(stream, (events) => events.filter(({ event }) => event === 'units').length === 2)));
  await until('the watch is open', () => supervisor.asked.includes('watch'));
  state.units = [unit('web', { phase: 'backoff', health: 'failing' }), unit('db')];
  await until('both saw the change', async () => {
    supervisor.emit(change(2, 'web', 'running', 'backoff'));
    return Promise.race([seen, new Promise((soon) => setTimeout(() => soon(false), 20))]);
  });
  for (const events of await seen) {
    const [first, second] = events.filter(({ event }) => event === 'units').map(({ data }) => data as { changed: { name: string; state: string }[]; whole?: boolean });
    expect([first?.whole, second?.whole]).toEqual([true, undefined]);
    expect(first?.changed.map(({ name }) => name)).toEqual(['web', 'db']);
    expect(second?.changed.map(({ name, state: word }) => `${name} ${word}`)).toEqual(['web backoff']);
    expect(events.find(({ event }) => event === 'record')?.data).toMatchObject({ seq: 2, unit: 'web' });
  }
  expect(supervisor.asked.filter((kind) => kind === 'watch')).toHaveLength(1);
  const { length } = supervisor.asked;
  await new Promise((soon) => setTimeout(soon, 300));
  expect(supervisor.asked.length - length, 'nobody looks').toBeLessThanOrEqual(1);
});

test('an act has a ticket that is settled when the supervisor has answered for each unit', async () => {
  const call = makeCall();
  await answering(call, { units: [unit('web'), unit('stubborn')] });
  const { ask, post } = makeWeb(call);
  const accepted = await post('/api/v1/actions', { verb: 'stop', units: ['web', 'stubborn'] });
  expect(accepted.status).toBe(202);
  expect(await body(accepted)).toMatchObject({ id: 1, state: 'open', units: ['web', 'stubborn'], ended_at: null });
  const [ticket] = await until('it is settled', async () => {
    const { tickets } = await body(await ask('/api/v1/tickets')) as { tickets: { state: string; message: string }[] };
    return tickets[0]?.state === 'open' ? null : tickets;
  });
  expect(ticket).toMatchObject({ state: 'failed', message: "Service 'web' stopped\nit will not" });
});

test('the journal is kept: however often it is shown, the supervisor is asked for what is new', async () => {
  const call = makeCall();
  const state = { units: [unit('web', { last_event: 3 })], records: [change(1, 'web', 'stopped', 'spawning'), change(2, 'web', 'spawning', 'starting'), change(3, 'web', 'starting', 'running')] };
  await answering(call, state);
  const { ask } = makeWeb(call);
  expect(await body(await ask('/api/v1/units/web/history?limit=2'))).toMatchObject({ records: [{ seq: 2 }, { seq: 3 }] });
  state.records = [...state.records, change(4, 'web', 'running', 'clearing')];
  expect(await body(await ask('/api/v1/history'))).toMatchObject({ records: [{ seq: 1 }, { seq: 2 }, { seq: 3 }, { seq: 4 }] });
});

test('a chart says where the unit is and along which arrows its records led, states without a record included', async () => {
  const call = makeCall();
  await answering(call, {
    units: [unit('web', { last_event: 4, phase: 'backoff' }), unit('api', { last_event: 8 })],
    records: [
      change(1, 'web', 'stopped', 'spawning'), change(2, 'web', 'spawning', 'starting'), change(3, 'web', 'starting', 'clearing'), change(4, 'web', 'clearing', 'backoff'),
      change(5, 'api', 'running', 'clearing'), change(6, 'api', 'clearing', 'failed'), change(7, 'api', 'failed', 'spawning'), change(8, 'api', 'spawning', 'running'),
    ],
  });
  const { ask } = makeWeb(call);
  interface Marks { present: string[]; steps: { seq: number; arrows: string[] }[]; arrows: { title: string; lines: string[] }[]; counts: unknown[] }
  const stepsOf = ({ steps }: Marks): unknown => steps.map(({ seq, arrows }) => [seq, arrows.map((title) => title.split('->').map((id) => id.split('.').at(-1)).join('>'))]);
  const chart = await body(await ask('/api/v1/units/web/chart')) as unknown as Marks;
  expect(chart.present).toEqual(['idle.backoff']);
  expect(stepsOf(await body(await ask('/api/v1/units/api/chart')) as unknown as Marks)).toEqual([
    [5, ['running>clearing']], [6, ['stopping>judging', 'judging>failed']], [7, ['failed>waiting', 'waiting>preparing', 'preparing>spawning']],
  ]);
  const along = await body(await ask(`/api/v1/units/web/chart/records?arrow=${encodeURIComponent(chart.steps[3]?.arrows[1] ?? '')}`));
  expect(along).toMatchObject({ records: [{ seq: 4, from: 'clearing', to: 'backoff' }] });
  expect(chart.counts).toContainEqual({ title: chart.steps[1]?.arrows[0], count: 1 });
  expect(stepsOf(chart)).toEqual([
    [1, ['stopped>waiting', 'waiting>preparing', 'preparing>spawning']], [2, ['spawning>starting']], [3, ['starting>clearing']], [4, ['stopping>judging', 'judging>backoff']],
  ]);
  const svg = await (await ask('/api/v1/charts/service')).text();
  for (const { title } of chart.arrows) expect(svg).toContain(`<title>${title.replaceAll('-', '&#45;').replaceAll('>', '&gt;')}</title>`);
});

test('values of the environment never leave the server, wherever they stand', async () => {
  const call = makeCall('version: "1"\nservices:\n  web:\n    command: "serve --key hunter2secret"\n    env: {vars: {KEY: hunter2secret, MODE: "on"}}\n    deployment: {pre_start: "echo hunter2secret"}\n');
  writeFileSync(call.paths.configHint, `${call.cwd}/sysg.yaml`);
  const process = { pid: 1, state: 'running', user: 'root' } as const;
  await answering(call, { units: [unit('web', { command: 'serve --key hunter2secret', runtime_command: 'serve --key hunter2secret', process, reason: 'pre_start failed: echo hunter2secret',
    spawned_children: [{ child: { name: 'x', pid: 2, parent_pid: 1, command: 'curl hunter2secret', started_at: { secs_since_epoch: 1, nanos_since_epoch: 0 }, depth: 1 } }] })] });
  const { ask } = makeWeb(call);
  for (const path of ['/status', '/units/web', '/units/web/config', '/graph', '/supervisor', '/units/web/chart']) {
    const text = await (await ask(`/api/v1${path}`)).text();
    expect(text, path).not.toContain('hunter2');
  }
  const events = await readEvents(await ask('/api/v1/events'), (all) => all.some(({ event }) => event === 'units'));
  expect(JSON.stringify(events)).not.toContain('hunter2');
  expect(await body(await ask('/api/v1/units/web/config'))).toMatchObject({ definition: { env: { KEY: '•••', MODE: '•••' }, preStart: 'echo ${KEY}' } });
});

test('values of an earlier state of the file stay hidden: what runs was started with them', async () => {
  const call = makeCall('version: "1"\nservices:\n  web: {command: "serve", env: {vars: {KEY: hunter2secret}}}\n');
  const file = `${call.cwd}/sysg.yaml`;
  writeFileSync(call.paths.configHint, file);
  await answering(call, { units: [unit('web', { command: 'serve hunter2secret' })] });
  const { ask } = makeWeb(call);
  const commands = async (): Promise<unknown> => (await body(await ask('/api/v1/status')) as { units: { command: string }[] }).units.map(({ command }) => command);
  expect(await commands()).toEqual(['serve ${KEY}']);
  writeFileSync(file, 'version: "1"\nservices:\n  web: {command: "serve", env: {vars: {KEY: another-value}}}\n');
  expect(await commands()).toEqual(['serve ${KEY}']);
  writeFileSync(file, 'services: [');
  expect(await commands()).toEqual(['serve ${KEY}']);
});

test('a rehearsal is a simulation of the file as it is now, with the arrows of each step', async () => {
  const call = makeCall('version: "1"\nservices:\n  web: {command: "sleep 1000", restart_policy: always, backoff: 2s}\n');
  const { post } = makeWeb(call);
  const found = await body(await post('/api/v1/simulate', { events: ['web@3s=exit:1'], for: '30s' })) as { units: Record<string, unknown>; events: { to: string; arrows: string[] }[] };
  expect(found.units).toMatchObject({ web: { restarts: 1, phase: 'running' } });
  expect(found.events.filter(({ to }) => to === 'backoff')).toHaveLength(1);
  expect(found.events.every(({ arrows }) => arrows.length > 0)).toBe(true);
  for (const [wish, about] of [
    [{ events: ['nope@1s=exit:1'] }, "'nope' is no unit"], [{ events: ['web'] }, 'expected UNIT@TIME'], [{ for: 'soon' }, 'a duration'], [{ events: ['@1s=reload /etc/passwd'] }, 'no other file'], [{ seed: -1 }, 'seed'],
  ] as const) expect(await body(await post('/api/v1/simulate', wish)), about).toMatchObject({ status: 400, detail: expect.stringContaining(about) });
});

test('in a rehearsal the chart of a cron unit is in its run from the first to the last step of it', async () => {
  const call = makeCall('version: "1"\nservices:\n  tick: {command: "true", cron: "* * * * *"}\n');
  const { events } = await body(await makeWeb(call).post('/api/v1/simulate', { for: '90s' })) as { events: { to: string; in_chart: string }[] };
  const inChart = events.slice(0, 7).map(({ to, in_chart: shown }) => `${to}: ${shown}`);
  expect(inChart).toEqual(['waiting: waiting', 'preparing: running', 'spawning: running', 'starting: running', 'running: running', 'clearing: running', 'waiting: waiting']);
});

test('a file that cannot be read is the reason of what is not known, and what was known is said to be of before', async () => {
  const good = 'version: "1"\nservices:\n  web: {command: "sleep 1000"}\n';
  const call = makeCall('version: "1"\nservices:\n  web: {comand: "sleep 1000"}\n');
  writeFileSync(call.paths.configHint, `${call.cwd}/sysg.yaml`);
  await answering(call, { units: [unit('web')] });
  const answers = ({ ask, post }: ReturnType<typeof makeWeb>): Promise<readonly Record<string, unknown>[]> => Promise.all([
    ...['/units/web/config', '/graph'].map(async (path) => body(await ask(`/api/v1${path}`))), post('/api/v1/simulate', { for: '1s' }).then(body),
  ]);
  const why = expect.stringContaining("unknown key 'comand'");
  expect(await answers(makeWeb(call))).toEqual([1, 2, 3].map(() => expect.objectContaining({ type: 'urn:sysg:problem:config', detail: why })));
  writeFileSync(`${call.cwd}/sysg.yaml`, good);
  const web = makeWeb(call);
  expect(await answers(web)).toMatchObject([{ problem: null }, { svg: expect.any(String) }, { warnings: [] }]);
  writeFileSync(`${call.cwd}/sysg.yaml`, good.replace('command', 'comand'));
  expect(await answers(web)).toMatchObject([{ problem: why, definition: { name: 'web' } }, { svg: expect.any(String) }, { warnings: [why], units: { web: { phase: 'running' } } }]);
});

test('a unit that is named twice is ordered once', async () => {
  const call = makeCall();
  const { asked } = await answering(call, { units: [unit('web')] });
  const { post } = makeWeb(call);
  expect(await body(await post('/api/v1/actions', { verb: 'restart', units: ['web', 'web'] }))).toMatchObject({ units: ['web'] });
  await until('it is ordered', () => asked.includes('restart'));
  expect(asked.filter((kind) => kind === 'restart')).toHaveLength(1);
});

test('a rehearsal has the services with profiles that the supervisor has, and no others', () => {
  const configured = { specs: ['web', 'debug', 'extra'].map((name) => specOf({ name })), profiles: { debug: ['dev'], extra: ['more'] } };
  const rehearsed = rehearse(configured, new Set(['web', 'debug']), {});
  expect(rehearsed.ok && [...rehearsed.simulation.units.keys()]).toEqual(['web', 'debug']);
});

test('the description names every route with the shapes by which it is checked', async () => {
  const { paths, openapi } = await body(await makeWeb(makeCall()).ask('/api/v1/openapi.json')) as { openapi: string; paths: Record<string, Record<string, { responses: Record<string, unknown> }>> };
  expect(openapi).toBe('3.1.0');
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/status', '/events', '/units/{unit}/why', '/plan', '/actions', '/simulate']));
  expect(JSON.stringify(paths['/actions'])).toContain('"enum":["start","stop","restart","run","reload","signal"]');
  expect(JSON.stringify(paths['/status'])).toContain('"overall_health":{"enum":["healthy","degraded","failing"]}');
  for (const [path, methods] of Object.entries(paths)) for (const { responses } of Object.values(methods)) expect(responses, path).toHaveProperty('default');
});
