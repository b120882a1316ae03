import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Diagnosis } from '../../src/doctor/facts.ts';
import { isAlive, makeHome, removeDirectory, soon, type Home } from './rig.ts';

const yaml = `
version: "1"
services:
  web: {command: "$PROGRAMS/forever"}
  api: {command: "while :; do sleep 1; done", depends_on: [web]}
`;

async function started(): Promise<Home> {
  const home = makeHome(yaml);
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  return home;
}

async function examine(home: Home): Promise<Diagnosis & { readonly code: number | null; readonly wrong: Readonly<Record<string, string>> }> {
  const { stdout, code } = await home.sysg('doctor', '--json');
  const found = JSON.parse(stdout) as Diagnosis;
  return { ...found, code, wrong: Object.fromEntries(found.findings.filter(({ ok }) => !ok).map(({ check, detail }) => [check, detail])) };
}

/** Every file of the state directory with its content, mode and time. */
function picture(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort().map((name) => {
    const path = join(directory, name);
    const facts = lstatSync(path);
    const content = facts.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
    return `${name} ${facts.mode} ${facts.mtimeMs} ${content}`;
  });
}

test('where nothing ever ran nothing is wrong, and nothing is made', async () => {
  const home = makeHome();
  expect(await home.sysg('doctor')).toMatchObject({ code: 0, stdout: expect.stringContaining('no supervisor ever ran here') });
  expect(existsSync(home.state)).toBe(false);
});

test('all parts of a running supervisor agree', async () => {
  const home = await started();
  expect((await examine(home)).wrong).toEqual({});
  const { stdout, code } = await home.sysg('doctor');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ok {4}process of web +pid [0-9]+ lives and is the same by start time and boot and token$/m);
  expect(stdout).toMatch(/all [0-9]+ checks passed\n$/);
});

test('what a dead supervisor left is reported and left as it is; the next supervisor puts it right', async () => {
  const home = await started();
  const supervisor = home.supervisorPid();
  const guardian = Number(/\) . ([0-9]+) /.exec(readFileSync(`/proc/${supervisor}/stat`, 'latin1'))?.[1]);
  process.kill(guardian, 'SIGKILL');
  await soon('the guardian is dead', () => !isAlive(guardian));
  expect((await examine(home)).wrong).toEqual({ guardian: expect.stringMatching(new RegExp(`supervisor ${supervisor} runs alone.*kill -KILL ${supervisor}; sysg start --daemonize -c`)) });
  process.kill(supervisor, 'SIGKILL');
  await soon('both are dead', () => !isAlive(supervisor));
  const before = picture(home.state);
  const { code, ok, wrong } = await examine(home);
  expect([code, ok, Object.keys(wrong)]).toEqual([1, false, ['supervisor', 'process of web', 'process of api']]);
  expect(picture(home.state)).toEqual(before);
  await home.sysg('start', '--daemonize', '-c', home.config);
  expect((await examine(home)).wrong).toEqual({});
});

test('a mode that lets others in, a FIFO that was taken away and a process that nobody owns are found', async () => {
  const home = await started();
  const web = (await home.unit('web')).process?.pid ?? 0;
  const token = /SYSG_INSTANCE=([0-9a-f]{12})/.exec(readFileSync(`/proc/${web}/environ`, 'latin1'))?.[1];
  const stray = spawn('sleep', ['300'], { env: { PATH: process.env['PATH'], SYSG_INSTANCE: `${token}.99.1` }, stdio: 'ignore' });
  onTestFinished(() => void stray.kill('SIGKILL'));
  chmodSync(home.state, 0o755);
  renameSync(join(home.state, 'fifo/web.stdout'), join(home.state, 'fifo/away'));
  const { code, wrong } = await examine(home);
  expect([code, Object.keys(wrong)]).toEqual([1, ['state directory', 'strays', 'FIFOs']]);
  expect(wrong['strays']).toContain(`pid ${stray.pid} `);
});

test('a process of an earlier run that has a token of ours is found in a later one', async () => {
  const home = await started();
  const web = (await home.unit('web')).process?.pid ?? 0;
  const token = /SYSG_INSTANCE=([0-9a-f]{12})/.exec(readFileSync(`/proc/${web}/environ`, 'latin1'))?.[1];
  await home.sysg('stop');
  await home.sysg('start', '--daemonize', '-c', home.config);
  const stray = spawn('sleep', ['300'], { env: { PATH: process.env['PATH'], SYSG_INSTANCE: `${token}.1.1` }, stdio: 'ignore' });
  onTestFinished(() => void stray.kill('SIGKILL'));
  expect((await examine(home)).wrong['strays']).toContain(`pid ${stray.pid} `);
});

test('services whose state was removed with their dead supervisor are found, by the output that they have', async () => {
  const home = await started();
  const web = (await home.unit('web')).process?.pid ?? 0;
  onTestFinished(() => {
    if (isAlive(web)) process.kill(web, 'SIGKILL');
  });
  const [guardian, supervisor] = [home.guardianPid(), home.supervisorPid()];
  for (const pid of [guardian, supervisor]) process.kill(pid, 'SIGKILL');
  await soon('both are dead', () => !isAlive(guardian) && !isAlive(supervisor));
  await removeDirectory(home.state);
  expect((await examine(home)).wrong['strays']).toContain(`pid ${web} `);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { wrong } = await examine(home);
  expect(Object.keys(wrong)).toEqual(['strays']);
  expect(wrong['strays']).toContain(`pid ${web} `);
  expect(wrong['strays']).not.toContain(`pid ${(await home.unit('web')).process?.pid} `);
});

test('a supervisor that is halted does not answer, and that is said', async () => {
  const home = await started();
  const supervisor = home.supervisorPid();
  process.kill(supervisor, 'SIGSTOP');
  onTestFinished(() => void process.kill(supervisor, 'SIGCONT'));
  const { wrong } = await examine(home);
  expect(wrong['control socket']).toContain(`kill -CONT ${supervisor}`);
  process.kill(supervisor, 'SIGCONT');
}, 120_000);

test('rubbish in every place is reported, and neither ends it nor is touched', async () => {
  const home = makeHome(yaml);
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  const rubbish = Buffer.from([0, 255, 10, 60, 97, 10, 123, 125, 10]);
  for (const name of ['ledger.ndjson', 'journal.ndjson', 'pid.xml', 'state.xml', 'sysg.pid', 'config_hint', 'control.sock']) writeFileSync(join(home.state, name), rubbish, { mode: 0o600 });
  const before = picture(home.state);
  const { code, wrong } = await examine(home);
  expect([code, Object.keys(wrong)]).toEqual([1, ['supervisor', 'ledger', 'journal', 'pid.xml', 'state.xml']]);
  expect(await home.sysg('status')).toMatchObject({ code: 3 });
  expect(picture(home.state)).toEqual(before);
});

test('a file where the state directory should be is reported', async () => {
  const home = makeHome(yaml);
  mkdirSync(join(home.state, '..'), { recursive: true });
  writeFileSync(home.state, '');
  const { code, wrong } = await examine(home);
  expect(code).toBe(1);
  expect(wrong['state directory']).toContain('is a file; expected a directory');
});
