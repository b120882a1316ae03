import { chmodSync, chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive, makeHome, soon, type Home } from './rig.ts';

const yaml = `version: "1"
services:
  counts: {command: "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"}
  waits: {command: exit 1, restart_policy: always, backoff: 1h}
  rests: {command: $PROGRAMS/forever}
`;

async function pidOf(home: Home, name: string): Promise<number> {
  return (await home.until(name, ({ process }) => process !== undefined, 'runs')).process?.pid ?? 0;
}

/** The guardian's next supervisor answers. */
async function another(home: Home, before: number): Promise<void> {
  await soon('another supervisor answers', () => home.status().then(() => home.supervisorPid() !== before).catch(() => false));
}

test('restart --supervisor: another supervisor, the same processes; no line is lost, deadlines and wishes go on', async () => {
  const home = makeHome(yaml);
  await home.sysg('start', '--daemonize');
  await home.sysg('stop', '-s', 'rests');
  const [before, pid, backoff] = [home.supervisorPid(), await pidOf(home, 'counts'), await home.until('waits', ({ next_at }) => next_at !== undefined, 'is in backoff')];
  const answer = await home.sysg('restart', '--supervisor');
  expect(answer).toMatchObject({ code: 0, stdout: expect.stringMatching(new RegExp(`^Supervisor restarted \\(pid ${before} → [0-9]+\\); 1 service goes on\n$`)) });
  expect([home.supervisorPid() === before, await pidOf(home, 'counts')]).toEqual([false, pid]);
  const after = await home.unit('waits');
  expect([after.phase, after.restarts, (await home.unit('rests')).phase]).toEqual(['backoff', backoff.restarts, 'stopped']);
  // The deadline is a moment of the monotonic clock; each status shows it by the wall clock, which is read right after it. Another supervisor takes longer than that to start.
  expect(Math.abs(Date.parse(after.next_at ?? '') - Date.parse(backoff.next_at ?? ''))).toBeLessThanOrEqual(40);
  const lines = await soon('it goes on counting', () => {
    const read = home.log('counts').trim().split('\n');
    return read.length > 60 ? read : null;
  });
  expect(lines).toEqual(lines.map((_, index) => String(index + 1)));
});

test('restart --supervisor: what has become a cron unit in the file, or is none any more, is made anew', async () => {
  const files = [['', ', cron: {expression: "0 0 1 1 *"}'], [', cron: {expression: "0 0 1 1 *"}', '']]
    .map(([one, other]) => `version: "1"\nservices:\n  one: {command: $PROGRAMS/forever${one}}\n  other: {command: $PROGRAMS/forever${other}}\n`);
  const home = makeHome(files[0]);
  await home.sysg('start', '--daemonize');
  const pid = await pidOf(home, 'one');
  home.configure(files[1] ?? '');
  expect(await home.sysg('restart', '--supervisor')).toMatchObject({ code: 0, stdout: expect.stringMatching(/; 0 services go on\n$/) });
  await pidOf(home, 'other');
  const job = await home.until('one', ({ kind, process }) => kind === 'cron' && process === undefined, 'is a cron unit without a run');
  expect([job.phase, job.next_at !== undefined, isAlive(pid)]).toEqual(['waiting', true, false]);
});

test('a supervisor makes way only when the next one could begin', async () => {
  const home = makeHome(yaml);
  await home.sysg('start', '--daemonize');
  const before = home.supervisorPid();
  home.configure(`${yaml}  broken: {comand: x}\n`);
  expect(await home.sysg('restart', '--supervisor')).toMatchObject({ code: 1, stderr: expect.stringContaining("unknown key 'comand', did you mean 'command'?") });
  expect(await home.sysg('restart', '--supervisor', '-s', 'counts')).toMatchObject({ code: 2, stderr: expect.stringContaining('expected it without counts') });
  home.configure(yaml);
  const logs = join(home.state, 'logs');
  const own = statSync(home.state);
  if (own.uid === 0) chownSync(logs, 65_534, 65_534);
  else chmodSync(home.state, 0o500);
  expect(await home.sysg('restart', '--supervisor')).toMatchObject({
    code: 1, stderr: expect.stringMatching(/this supervisor goes on, since no other one could begin: .*(logs: belongs to uid 65534, not to uid 0|nothing can be written there)/),
  });
  chownSync(logs, own.uid, own.gid);
  chmodSync(home.state, 0o700);
  expect(home.supervisorPid()).toBe(before);
  expect((await home.sysg('restart', '--supervisor')).code).toBe(0);
});

test('in the foreground nobody would start it again, and it says so', async () => {
  const home = makeHome(yaml);
  home.open('start');
  await home.until('counts', ({ phase }) => phase === 'running', 'runs');
  expect(await home.sysg('restart', '--supervisor')).toMatchObject({ code: 1, stderr: expect.stringContaining('runs in the foreground: nobody would start it again; end it there and start it again') });
});

test('kill -9 while the file is being edited: the services are looked after by the configuration that was in use', async () => {
  const home = makeHome(yaml);
  await home.sysg('start', '--daemonize');
  const [before, pid] = [home.supervisorPid(), await pidOf(home, 'counts')];
  home.configure('version: "1"\nservices: {counts: {comm');
  process.kill(before, 'SIGKILL');
  await another(home, before);
  expect(await pidOf(home, 'counts')).toBe(pid);
  process.kill(pid, 'SIGKILL');
  // A start before its end was noticed would be answered that it runs already.
  await soon('its end is noticed', async () => (await home.status()).units.some(({ name, phase }) => name === 'counts' && phase === 'failed'));
  home.configure(yaml);
  expect((await home.sysg('start', '--daemonize', '-s', 'counts')).code).toBe(0);
});

test('kill -9 after another file was taken over: that one is still the one in use', async () => {
  const home = makeHome(yaml);
  await home.sysg('start', '--daemonize');
  const other = join(home.dir, 'other.yaml');
  writeFileSync(other, 'version: "1"\nservices:\n  counts: {command: "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"}\n  added: {command: $PROGRAMS/forever}\n');
  expect(await home.sysg('reload', '-c', other)).toMatchObject({ code: 0 });
  const [before, counts, added] = [home.supervisorPid(), await pidOf(home, 'counts'), await pidOf(home, 'added')];
  process.kill(before, 'SIGKILL');
  await another(home, before);
  expect([await pidOf(home, 'counts'), await pidOf(home, 'added'), (await home.status()).units.map(({ name }) => name).sort()]).toEqual([counts, added, ['added', 'counts']]);
});

test('a supervisor whose guardian was killed does not make way: nobody would follow', async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  const supervisor = home.supervisorPid();
  const guardian = home.guardianPid();
  process.kill(guardian, 'SIGKILL');
  await soon('the guardian is dead', () => !isAlive(guardian));
  expect(await home.sysg('restart', '--supervisor')).toMatchObject({ code: 1, stderr: expect.stringContaining('has lost its guardian: nobody would start it again; sysg doctor says how') });
  expect(home.supervisorPid()).toBe(supervisor);
  expect(await home.unit('a')).toMatchObject({ phase: 'running' });
});
