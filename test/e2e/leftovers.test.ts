import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../free-port.ts';
import { kill } from '../kill.ts';
import { isAlive, makeHome, programs, soon } from './rig.ts';

/** Serves in a session of its own, and needs a while to let go of its port. */
const worker = `
import { createServer } from 'node:http';
const server = createServer();
server.on('error', ({ code }) => { console.log(code); process.exit(1); });
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('bound'));
process.on('SIGTERM', () => setTimeout(() => process.exit(0), 800));
`;

test('after a crash the next start waits for a worker that still has the port', async () => {
  const home = makeHome(`version: "1"\nservices:\n  web:\n    command: "setsid node worker.mjs & wait"\n    env: {vars: {PORT: "${await freePort()}"}}\n    restart_policy: always\n    backoff: 50ms\n`);
  writeFileSync(join(dirname(home.config), 'worker.mjs'), worker);
  await home.sysg('start', '--daemonize', '-c', home.config);
  await soon('the worker serves', () => home.log('web').includes('bound'));
  kill((await home.unit('web')).process?.pid);
  await soon('the next worker serves', () => home.log('web').match(/bound/g)?.length === 2);
  expect(home.log('web')).not.toContain('EADDRINUSE');
  expect((await home.unit('web')).restarts).toBe(1);
});

test('a program that puts itself into the background is named by status, why and the log', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {exec: [sh, -c, "setsid sleep 1000 & until grep -aq ^sleep /proc/$!/cmdline; do sleep 0.01; done; exit 0"]}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { reason } = await home.until('web', ({ lifecycle }) => lifecycle === 'exited_successfully', 'has completed');
  expect(reason).toMatch(/^process exited with status 0 and left "sleep 1000" \(pid \d+\) running, which was ended; a program has to stay in the foreground/);
  for (const args of [['status'], ['why', 'web']]) expect((await home.sysg(...args)).stdout).toMatch(/left "sleep 1000" .* has to stay in the foreground/);
  expect(readFileSync(join(home.state, 'logs/supervisor.log'), 'utf8')).toMatch(/WARN .*web: the process left "sleep 1000"/);
});

test('a unit that is renamed on the same port takes it over at the first attempt', async () => {
  const yaml = (name: string, port: number): string => (
    `version: "1"\nservices:\n  ${name}:\n    exec: ["${programs}/serves-port"]\n    env: {vars: {PORT: "${port}"}}\n    health_check: {tcp: "127.0.0.1:${port}", interval: 50ms}\n`
  );
  const port = await freePort();
  const home = makeHome(yaml('old', port));
  await home.sysg('start', '--daemonize', '-c', home.config);
  const before = (await home.unit('old')).process?.pid ?? 0;
  home.configure(yaml('new', port));
  await home.sysg('reload');
  const { process: after, restarts } = await home.until('new', ({ phase }) => phase === 'running', 'runs');
  expect([isAlive(before), isAlive(after?.pid ?? 0), restarts]).toEqual([false, true, 0]);
  expect(home.log('new')).not.toContain('EADDRINUSE');
});

test('kill_mode and stop_command come from the file', async () => {
  const home = makeHome(`version: "1"
services:
  mixed:
    command: "trap 'exit 0' TERM; (trap 'echo got it' TERM; while :; do sleep 0.1; done) & echo ready; while :; do sleep 0.1; done"
    kill_mode: mixed
    stop_timeout: 300ms
  commanded:
    command: "trap 'echo asked; exit 0' USR1; echo ready; while :; do sleep 0.1; done"
    stop_command: "kill -USR1 $SYSG_PID"
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  await soon('both are ready', () => home.log('mixed').includes('ready') && home.log('commanded').includes('ready'));
  expect(await home.sysg('stop')).toMatchObject({ code: 0 });
  expect(home.log('mixed')).not.toContain('got it');
  expect(home.log('commanded')).toContain('asked');
  await home.allGone();
});

test('what a stop_command leaves running is ended after the service', async () => {
  const home = makeHome(`version: "1"
services:
  web:
    command: "exec sleep 1000"
    stop_command: "(setsid sleep 1000 & echo $! > left.part; mv left.part left); kill $SYSG_PID"
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  expect(await home.sysg('stop', '-s', 'web')).toMatchObject({ code: 0 });
  const left = Number(readFileSync(join(home.dir, 'left'), 'utf8'));
  await soon('it is ended', () => !isAlive(left));
});

test('a start by a person, where only a leftover of a service lives, ends the leftover and starts the service whatever its policy', async () => {
  const home = makeHome(`version: "1"
services:
  web: {command: "setsid sleep 1000 & echo $! > left; exec sleep 2000", restart_policy: never}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  await soon('the leftover lives', () => existsSync(join(home.dir, 'left')) && isAlive(Number(readFileSync(join(home.dir, 'left'), 'utf8'))));
  const left = Number(readFileSync(join(home.dir, 'left'), 'utf8'));
  const main = (await home.unit('web')).process?.pid ?? 0;
  const supervisor = home.supervisorPid();
  for (const pid of [home.guardianPid(), supervisor, main]) process.kill(pid, 'SIGKILL');
  await soon('supervisor and service are dead', () => !isAlive(supervisor) && !isAlive(main));
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  expect(isAlive(left)).toBe(false);
  expect(await home.unit('web')).toMatchObject({ phase: 'running', restarts: 0 });
});
