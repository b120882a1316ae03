import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeHome, soon, type Home } from './rig.ts';
import { serveWeb } from './web-server.ts';

/** By where each comes from. No other text has them. */
const planted = {
  environment: 'planted-in-the-environment', inherited: 'planted-and-inherited', envFile: 'planted-in-an-env-file', plain: 'planted-under-a-plain-name',
  literal: 'planted-in-the-configuration', option: 'planted-behind-an-option', longer: 'planted-in-an-env-file-and-longer', short: 'xq7',
  lines: 'planted-line-one\nplanted-line-two', url: 'planted in&a=url/x',
} as const;
const values = Object.values(planted);

/** As a value may come along: line by line, in a URL, in base64 alone and behind a name, less the ends that depend on what is around. */
const forms = [...new Set([...values, ...values.flatMap((value) => [
  ...value.split('\n'), encodeURIComponent(value), ...(value.length < 8 ? [] : ['', 'me:'].map((before) => Buffer.from(before + value).toString('base64').slice(6, -6))),
])])];

function plant(): Home {
  const home = makeHome(`
version: "1"
env: {file: .env, vars: {API_TOKEN: ${planted.literal}, DATABASE: "db://me:\${DB_PASSWORD}@db/x"}}
services:
  serves:
    command: "sh -c 'sleep 100000; true' \${REGION} \${API_TOKEN} \${DATABASE} \${PLAIN}"
    health_check: {command: "test -n '\${REGION}'"}
    spawn: {mode: dynamic}
    restart_policy: always
    backoff: 50ms
  execs: {exec: [sh, -c, "sleep 100000; true", "\${API_TOKEN}"], env: {OWN: "\${PLAIN}-more"}}
  missing: {command: "no-such-program-\${REGION} \${DB_PASSWORD}", restart_policy: never}
  shouts: {command: "echo bad $API_TOKEN $DB_PASSWORD $SOME_SECRET >&2; exit 3", restart_policy: never}
  expands: {command: "sh -c 'sleep 100000; true' $SOME_SECRET; true"}
  probes: {command: "sleep 100001", health_check: {url: "http://127.0.0.1:9/x?t=\${URL_SECRET}&p=\${PIN_KEY}&r=\${REGION}", interval: 100ms, timeout: 300ms, retries: 2}}
  authorizes: {command: "sleep 100001", health_check: {command: "echo Authorization: Basic $(printf me:%s \${DB_PASSWORD} | base64) >&2; false", interval: 100ms, timeout: 300ms, retries: 2}}
  rolls: {command: "sleep 100001 \${LONGER_TOKEN} \${PIN_KEY} '\${LINES_SECRET}'", deployment: {strategy: rolling, health_check: {url: "http://127.0.0.1:9/\${DB_PASSWORD}?t=\${URL_SECRET}", interval: 100ms, timeout: 300ms, retries: 1}}}
  prepares: {command: "sleep 100001", deployment: {pre_start: "echo \${LONGER_TOKEN} \${PIN_KEY} >&2; false"}}
  encodes: {command: "printf %s $DB_PASSWORD | base64 >&2; printf me:%s $LONGER_TOKEN | base64 >&2; echo $PIN_KEY >&2; exit 3", restart_policy: never}
  option: {exec: [sh, -c, "sleep 100000; true", sh, --password, ${planted.option}]}
  hooked: {command: "$PROGRAMS/forever", hooks: {on_start: {success: {command: "false \${DB_PASSWORD}"}}}}
  nightly: {command: "true \${DB_PASSWORD}", cron: "* * * * * *"}
`);
  writeFileSync(join(home.dir, '.env'), `DB_PASSWORD=${planted.envFile}\nPLAIN=${planted.plain}\nLONGER_TOKEN=${planted.longer}\nPIN_KEY=${planted.short}\nLINES_SECRET="${planted.lines}"\nURL_SECRET="${planted.url}"\n`);
  Object.assign(home.env, { REGION: planted.environment, SOME_SECRET: planted.inherited });
  return home;
}

function found(text: string, where: string): readonly string[] {
  return forms.filter((form) => text.includes(form)).map((form) => `${where}: ${form}`);
}

/** In files of ours: what services write is theirs. The copy of the configuration keeps the text of commands, and what the user wrote into that. */
function atRest(home: Home): readonly string[] {
  const names = readdirSync(home.state, { recursive: true, encoding: 'utf8' }).filter((name) => !/^logs\/(?!supervisor)/.test(name));
  return names.flatMap((name) => found(textOf(join(home.state, name)), name))
    .filter((where) => where !== `config.last.json: ${planted.option}`);
}

/** Of a file; none of what is no file, or was put in the place of another one while it was looked at. */
function textOf(path: string): string {
  try {
    return statSync(path).isFile() ? readFileSync(path, 'latin1') : '';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

const units = ['serves', 'execs', 'missing', 'shouts', 'expands', 'probes', 'authorizes', 'rolls', 'prepares', 'encodes', 'option', 'hooked', 'nightly'];

const questions = ['"Status"', '{"History":{"unit":null,"limit":10000,"since":null}}', '{"Plan":{"config":null}}', '{"Reload":{"config":null}}',
  ...units.map((unit) => JSON.stringify({ Inspect: { unit, samples: 5 } })),
  ...['missing', 'shouts', 'probes', 'authorizes', 'prepares', 'encodes'].map((service) => JSON.stringify({ Start: { service, settlements: true } })), '{"Logs":{"service":null,"lines":100,"kind":"supervisor","follow":false}}'];

const screens: readonly (readonly string[])[] = [
  ['status', '--full-cmd'], ['status', '--json'], ['ps', '--all'], ['events'], ['events', '--json'], ['plan'], ['plan', '--json'], ['validate'], ['validate', '--json'], ['doctor'], ['doctor', '--json'],
  ['chart', '--graph'], ['logs', '-k', 'supervisor', '--no-follow'], ['logs', '-k', 'supervisor', '--no-follow', '--json'], ['simulate', '--for', '5s'], ['metrics'],
  ['restart', '-s', 'missing'], ['restart', '-s', 'rolls'], ['start', '--daemonize', '-s', 'probes'], ['wait', '--timeout', '1s', '--for', 'running', 'prepares'], ['signal', 'USR1', 'missing'],
  ['inspect', '-s', 'serves'], ['inspect', '-s', 'nightly', '--json'], ...['missing', 'shouts', 'encodes', 'probes', 'authorizes', 'rolls', 'prepares'].map((unit) => ['why', unit]), ['why', 'shouts', '--json'],
  ['chart', 'rolls'], ['chart', 'rolls', '--format', 'json'], ['chart', 'rolls', '--format', 'scxml'],
];

/** Everything that the page can ask for, by its own description, and the beginning of its stream. */
async function onThePage(home: Home): Promise<readonly string[]> {
  const { url, token, server } = await serveWeb(home);
  const ask = async (path: string): Promise<string> => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (answer.body === null || !answer.headers.get('content-type')?.startsWith('text/event-stream')) return answer.text();
    const reader = answer.body.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return Buffer.from(value ?? []).toString();
  };
  const description = JSON.parse(await ask('/api/v1/openapi.json')) as { paths: Record<string, { get?: unknown }> };
  const paths = Object.entries(description.paths).filter(([path, { get }]) => get !== undefined && !path.includes('/logs') && !path.includes('{project}')).map(([path]) => path);
  const asked = paths.map((path) => `/api/v1${path}`).flatMap((path) => (path.includes('{unit}') ? ['serves', 'shouts', 'rolls', 'nightly', 'probes'].map((unit) => path.replace('{unit}', unit)) : [path.replace('{machine}', 'service')]));
  expect(asked.length).toBeGreaterThan(20);
  const answers = await Promise.all(['/metrics', ...asked].map(async (path) => ({ path, text: await ask(path) })));
  server.kill('SIGTERM');
  expect(answers.find(({ path }) => path.endsWith('/units/serves/config'))?.text).toContain('${REGION}');
  return answers.flatMap(({ path, text }) => found(text, path));
}

test('no planted value is in a file, an answer or a screen of ours, with a supervisor and without; --show-secrets shows them', { timeout: 120_000 }, async () => {
  const home = plant();
  const started = await home.sysg('start', '--daemonize', '-c', home.config);
  expect(started.code).toBe(1);
  expect(found(started.stdout + started.stderr, 'start')).toEqual([]);
  expect(started.stderr).toContain('${REGION}');
  await soon('a run is recorded', async () => (await home.unit('nightly')).cron?.last_run?.command !== undefined);
  const serves = await home.unit('serves');
  expect(serves.command).toContain('${REGION} ${API_TOKEN} db://me:${DB_PASSWORD}@db/x ${PLAIN}');
  expect(serves.runtime_command).toContain('${REGION} ${API_TOKEN} db://me:${DB_PASSWORD}@db/x ${PLAIN}');
  const child = await home.exchange(JSON.stringify({ Spawn: { parent_pid: serves.process?.pid, name: 'kid', command: ['sh', '-c', 'sleep 100000; true', planted.envFile], ttl: null, log_level: null } }));
  expect(found(child, 'spawn')).toEqual([]);

  const answered = await Promise.all(questions.map(async (question) => found(await home.exchange(question), question)));
  expect(answered.flat()).toEqual([]);
  const shown = await Promise.all(screens.map(async (words) => ({ words, ...await home.sysg(...words) })));
  expect(shown.flatMap(({ words, stdout, stderr }) => found(stdout + stderr, words.join(' ')))).toEqual([]);
  expect(await onThePage(home)).toEqual([]);
  expect(atRest(home)).toEqual([]);

  // What a supervisor leaves to the one that takes its place, also when it is killed.
  const handedOver = await home.sysg('restart', '--supervisor');
  expect([handedOver.code, found(handedOver.stdout + handedOver.stderr, 'restart --supervisor')]).toEqual([0, []]);
  process.kill(home.supervisorPid(), 'SIGKILL');
  expect(atRest(home)).toEqual([]);
  await soon('another supervisor serves', async () => (await home.status().catch(() => null)) !== null);

  const open = await home.sysg('status', '--json', '--show-secrets');
  // One stands in an address that is checked alone, the other has two lines.
  expect(values.filter((value) => !open.stdout.includes(value))).toEqual([planted.lines, planted.url]);
  expect((await home.sysg('inspect', '-s', 'serves', '--json', '--show-secrets')).stdout).toContain(planted.environment);

  await home.sysg('stop');
  expect(atRest(home)).toEqual([]);
  const resting = await home.sysg('status', '--full-cmd');
  expect(found(resting.stdout + resting.stderr, 'at rest')).toEqual([]);
  expect(resting.stdout).toContain('${REGION}');
  expect((await home.sysg('status', '--full-cmd', '--show-secrets')).stdout).toContain(planted.environment);
});

test('a supervisor that comes back to a broken file reads the values again, those of a unit that runs from its process', { timeout: 60_000 }, async () => {
  const home = makeHome(`
version: "1"
env: {file: .env, vars: {API_TOKEN: ${planted.literal}}}
services:
  serves: {command: "echo \${DB_PASSWORD} $API_TOKEN \${REGION}; exec $PROGRAMS/forever", restart_policy: always, backoff: 50ms}
  waits: {command: "echo $DB_PASSWORD $API_TOKEN; exec $PROGRAMS/forever", restart_policy: never, env: {OTHER_SECRET: "of waits"}}
`);
  const envFile = join(home.dir, '.env');
  writeFileSync(envFile, `DB_PASSWORD=${planted.envFile}\n`);
  home.env['REGION'] = planted.environment;
  await home.sysg('start', '--daemonize', '-c', home.config);
  const [before, supervisor] = [await home.status(), home.supervisorPid()];
  await home.sysg('stop', '-s', 'waits');
  expect(atRest(home)).toEqual([]);

  home.configure('version: "1"\nservices: [');
  writeFileSync(envFile, 'DB_PASSWORD=changed-meanwhile\n');
  process.kill(supervisor, 'SIGKILL');
  await soon('another supervisor serves', async () => (await home.status().catch(() => null)) !== null && home.supervisorPid() !== supervisor);
  const after = await home.unit('serves');
  const pid = before.units.find(({ name }) => name === 'serves')?.process?.pid ?? 0;
  expect(after).toMatchObject({ phase: 'running', generation: 1, process: { pid }, hash: before.units.find(({ name }) => name === 'serves')?.hash });
  expect(await home.unit('waits')).toMatchObject({ phase: 'stopped' });
  expect(readFileSync(join(home.state, 'logs/supervisor.log'), 'utf8')).toContain('The configuration is broken; the one that was in use goes on until a reload');

  process.kill(pid, 'SIGKILL');
  await home.until('serves', ({ phase, generation }) => phase === 'running' && generation === 2, 'runs again');
  const line = `${planted.envFile} ${planted.literal} ${planted.environment}\n`;
  await soon('it has the values that were in use', () => home.log('serves').split(line).length === 3);
  expect(atRest(home)).toEqual([]);
});
