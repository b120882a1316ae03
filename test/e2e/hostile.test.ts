import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { collect, makeHome, soon } from './rig.ts';

const isRoot = process.getuid?.() === 0;

test('a service gets its three descriptors and nothing of the supervisor\'s', async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n  b: {command: "$PROGRAMS/forever", depends_on: [a]}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  await home.sysg('restart', '-s', 'a');
  for (const name of ['a', 'b']) {
    const pid = (await home.unit(name)).process?.pid ?? 0;
    const open = readdirSync(`/proc/${pid}/fd`).map((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    expect(open.filter((target) => target.includes(home.state)).sort()).toEqual([join(home.state, `fifo/${name}.stderr`), join(home.state, `fifo/${name}.stdout`)]);
    expect(open.filter((target) => target.startsWith('socket:'))).toEqual([]);
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').filter((assignment) => /^SYSG_(GUARDIAN|READY_FD|ASKED|NOFILE|LIFELINE_FD|EXEC_FD)=/.test(assignment))).toEqual([]);
  }
});

test.runIf(isRoot)('another user can neither list the state, ask the supervisor, nor touch output of others, even from within a service', async () => {
  const home = makeHome();
  const script = [
    `ls ${home.state} && echo LISTED`, `cat ${home.state}/fifo/mine.stdout && echo READ`, `echo x >${home.state}/fifo/mine.stdout && echo WROTE`,
    `cat ${home.state}/logs/mine_stdout.log && echo READ`, `cat ${home.state}/ledger.ndjson && echo READ`, 'echo done', 'exec sleep 100000',
  ].join('; ');
  home.configure(`version: "1"\nservices:\n  mine: {command: "$PROGRAMS/forever"}\n  theirs: {command: ${JSON.stringify(script)}, user: nobody, depends_on: [mine], working_dir: /}\n`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  await soon('it has tried all', () => home.log('theirs').includes('done'));
  expect(home.log('theirs')).toBe('done\n');
  const asked = await collect(spawn('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', `
    require('node:net').connect(${JSON.stringify(join(home.state, 'control.sock'))}).on('error',({code})=>console.log(code)).on('connect',()=>console.log('connected')&process.exit())`], { cwd: '/' }));
  expect(asked.stdout.trim()).toBe('EACCES');
});

test('values of the environment are in no file of the state directory', async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "echo $SECRET_OF_TEST >/dev/null; exit 3", env: {vars: {SECRET_OF_TEST: hunter2hunter2}}, restart_policy: on-failure, backoff: 50ms, max_restarts: 2}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  await home.until('a', ({ phase }) => phase === 'failed', 'has failed');
  await home.sysg('stop');
  const files = readdirSync(home.state, { recursive: true, encoding: 'utf8' }).map((name) => join(home.state, name)).filter((path) => statSync(path).isFile());
  expect(files.length).toBeGreaterThan(4);
  expect(files.filter((path) => readFileSync(path, 'utf8').includes('hunter2hunter2'))).toEqual([]);
});

test('a link that somebody put in the place of a state file is replaced, what it leads to is left alone', async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  await home.sysg('stop');
  const victim = join(home.dir, 'victim');
  // As long as the ledger's reserve, which is written over in place.
  const precious = 'precious'.repeat(4096);
  writeFileSync(victim, precious);
  const names = readdirSync(home.state).filter((name) => statSync(join(home.state, name)).isFile());
  expect(names).toEqual(expect.arrayContaining(['journal.ndjson', 'ledger.ndjson', 'ledger.ndjson.reserve', 'supervisor.lock']));
  for (const name of [...names, 'sysg.pid', 'config_hint', 'config.last.json', 'pid.xml', 'control.sock', 'fifo/a.stdout', 'logs/supervisor.log', 'logs/a_stdout.log', 'logs/a_stdout.log.times']) {
    rmSync(join(home.state, name), { force: true });
    symlinkSync(victim, join(home.state, name));
  }
  for (const name of names) symlinkSync(victim, join(home.state, `${name}.tmp`));
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  await home.sysg('restart', '-s', 'a');
  await home.sysg('stop');
  expect(readFileSync(victim, 'utf8')).toBe(precious);
});

test('a thousand clients that say nothing, and one that says it byte by byte, keep nobody from asking', async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  const clients: Socket[] = Array.from({ length: 1000 }, () => connect(join(home.state, 'control.sock')).on('error', () => undefined));
  onTestFinished(() => {
    for (const client of clients) client.destroy();
  });
  const drip = clients[0];
  const dripping = setInterval(() => drip?.write('"'), 20);
  onTestFinished(() => clearInterval(dripping));
  // The kernel refuses a client while its queue of them is full, until the supervisor has had its turn.
  const { units } = await soon('the supervisor answers', () => home.status().catch(() => null), 5000);
  expect(units.map(({ name, phase }) => [name, phase])).toEqual([['a', 'running']]);
  expect(await home.sysg('restart', '-s', 'a')).toMatchObject({ code: 0 });
  await soon('all were sent away', () => clients.every((client) => client.readableEnded || client.destroyed || client.bytesRead > 0));
});

test('of a supervisor that is stopped every command says after a while that it does not respond', { timeout: 60_000 }, async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  const following = home.open('events', '-f');
  const followed = collect(following);
  await soon('it follows', () => new Promise<boolean>((resolve) => void following.stdout?.once('data', () => resolve(true))));
  const pid = home.supervisorPid();
  onTestFinished(() => void process.kill(pid, 'SIGCONT'));
  process.kill(pid, 'SIGSTOP');
  const ends = await Promise.all([followed, ...[
    ['status'], ['inspect', '-s', 'a'], ['why', 'a'], ['events'], ['plan'], ['reload'], ['restart', '-s', 'a'], ['stop', '-s', 'a'], ['stop'], ['logs', '-s', 'a', '--no-follow'],
    ['wait', '--for', 'running', 'a'], ['start', '--daemonize', '-s', 'a'], ['start', '--child', '--parent-pid', '1', '--name', 'x', '--', 'true'],
  ].map((words) => home.sysg(...words))]);
  for (const { code, stderr } of ends) {
    expect(stderr).toContain(`supervisor pid ${pid} does not respond`);
    expect(stderr).not.toMatch(/internal error|^ +at /m);
    expect(code).toBe(1);
  }
});
