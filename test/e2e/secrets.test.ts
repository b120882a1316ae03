import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeHome, soon, type Home } from './rig.ts';

/** By where each comes from. No other text has them. */
const planted = {
  environment: 'planted-in-the-environment', inherited: 'planted-and-inherited', envFile: 'planted-in-an-env-file', plain: 'planted-under-a-plain-name',
  literal: 'planted-in-the-configuration', option: 'planted-behind-an-option',
} as const;
const values = Object.values(planted);

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
  option: {exec: [sh, -c, "sleep 100000; true", sh, --password, ${planted.option}]}
  hooked: {command: "$PROGRAMS/forever", hooks: {on_start: {success: {command: "false \${DB_PASSWORD}"}}}}
  nightly: {command: "true \${DB_PASSWORD}", cron: "* * * * * *"}
`);
  writeFileSync(join(home.dir, '.env'), `DB_PASSWORD=${planted.envFile}\nPLAIN=${planted.plain}\n`);
  Object.assign(home.env, { REGION: planted.environment, SOME_SECRET: planted.inherited });
  return home;
}

function found(text: string, where: string): readonly string[] {
  return values.filter((value) => text.includes(value)).map((value) => `${where}: ${value}`);
}

/** In files of ours: what services write is theirs. The copy of the configuration keeps the text of commands, and what the user wrote into that. */
function atRest(home: Home): readonly string[] {
  const files = readdirSync(home.state, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(home.state, name)).isFile());
  return files.filter((name) => !/^logs\/(?!supervisor)/.test(name)).flatMap((name) => found(readFileSync(join(home.state, name), 'latin1'), name))
    .filter((where) => where !== `config.last.json: ${planted.option}`);
}

const questions = ['"Status"', '{"History":{"unit":null,"limit":10000,"since":null}}', '{"Plan":{"config":null}}', '{"Reload":{"config":null}}',
  ...['serves', 'missing', 'expands', 'nightly', 'option'].map((unit) => JSON.stringify({ Inspect: { unit, samples: 5 } })),
  ...['missing', 'shouts'].map((service) => JSON.stringify({ Start: { service, settlements: true } })), '{"Logs":{"service":null,"lines":100,"kind":"supervisor","follow":false}}'];

const screens: readonly (readonly string[])[] = [
  ['status', '--full-cmd'], ['status', '--json'], ['inspect', '-s', 'serves'], ['inspect', '-s', 'missing'], ['inspect', '-s', 'nightly', '--json'], ['events'], ['events', '--json'],
  ['why', 'missing'], ['why', 'shouts', '--json'], ['plan'], ['validate'], ['doctor'], ['chart', '--graph'], ['logs', '-k', 'supervisor', '--no-follow'],
  ['simulate', '--for', '5s'], ['restart', '-s', 'missing'],
];

test('no planted value is in a file, an answer or a screen of ours, with a supervisor and without; --show-secrets shows them', { timeout: 60_000 }, async () => {
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

  for (const question of questions) expect(found(await home.exchange(question), question)).toEqual([]);
  const shown = await Promise.all(screens.map(async (words) => ({ words, ...await home.sysg(...words) })));
  expect(shown.flatMap(({ words, stdout, stderr }) => found(stdout + stderr, words.join(' ')))).toEqual([]);
  expect(atRest(home)).toEqual([]);

  const open = await home.sysg('status', '--json', '--show-secrets');
  expect(values.filter((value) => !open.stdout.includes(value))).toEqual([]);
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
