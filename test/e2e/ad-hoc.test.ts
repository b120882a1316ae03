import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive, makeHome, soon, within, type Home } from './rig.ts';

const yaml = 'version: "1"\nservices:\n  web: {command: sleep 1000}\n';

const pidOf = async (home: Home, unit: string): Promise<number> => (await home.unit(unit)).process?.pid ?? 0;
const names = async (home: Home): Promise<readonly string[]> => (await home.status()).units.map(({ name }) => name).sort();
const listed = (home: Home): unknown => (existsSync(join(home.state, 'ad-hoc.json')) ? Object.keys(JSON.parse(readFileSync(join(home.state, 'ad-hoc.json'), 'utf8')) as object) : []);

test('a command is added beside what runs, in the directory of the caller, outlives supervisors, and goes when it is forgotten', async () => {
  const home = makeHome(yaml);
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0 });
  const web = await pidOf(home, 'web');
  expect(await within(home, 'there', 'start', '--name', 'tick', '--', 'sh', '-c', 'pwd; sleep 1001')).toMatchObject({ code: 0, stdout: "Service 'tick' started\n" });
  expect(await within(home, 'there', 'up', 'sleep', '1000')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Service 'sleep-[0-9a-f]{12}' started\n$/) });
  await soon('it has written where it is', () => home.log('tick') === `${join(home.dir, 'there')}\n`);
  const units = (await home.status()).units;
  expect(units.map(({ name, ad_hoc: adHoc = false }) => [name.replace(/-\w{12}$/, ''), adHoc]).sort()).toEqual([['sleep', true], ['tick', true], ['web', false]]);
  // The command of `web` is the same: each has a hash of its own.
  expect(new Set(units.map(({ hash }) => hash)).size).toBe(3);
  expect((await home.sysg('status', 'tick')).stdout).toContain('\ntick (ad-hoc)');
  expect((await home.sysg('inspect', 'tick')).stdout).toContain('ad-hoc: started from the command line');

  // A word that names a service, or such a unit, means that, flags behind it included.
  expect(await home.sysg('start', 'web')).toMatchObject({ code: 0, stdout: "Service 'web' is already running\n" });
  expect(await home.sysg('stop', 't*', 'sleep*')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Service 'tick' stopped\nService 'sleep-\w+' stopped\n$/) });
  expect(await within(home, 'there', 'start', 'tick', 'sleep*', '--json')).toMatchObject({ code: 0, stdout: expect.stringContaining("Service 'tick' started\\nService 'sleep-") });
  expect(await home.sysg('start', '--daemonize', 'wbe')).toMatchObject({ code: 1, stderr: expect.stringContaining("did you mean 'web'?\nand 'wbe' is no program on PATH") });

  // The same again is the unit; another command under its name, or under that of a service, is refused, and so is what is no program.
  expect(await within(home, 'there', 'start', '--name', 'tick', '--', 'sh', '-c', 'pwd; sleep 1001')).toMatchObject({ code: 0, stdout: "Service 'tick' is already running\n" });
  for (const [args, why] of [
    [['--name', 'tick', '--', 'sleep', '5'], "the unit 'tick' runs another command, or in another directory: sh -c 'pwd; sleep 1001' in "],
    [['--name', 'tick', '--', 'sh', '-c', 'pwd; sleep 1001'], "the unit 'tick' runs another command, or in another directory"],
    [['--name', 'web', '--', 'sleep', '5'], `'web' is a service of ${home.config}: choose another name with --name`],
    [['--', 'no-such-program'], 'program "no-such-program" was not found on PATH'],
  ] as const) {
    const refused = await home.sysg('start', ...args);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(why) });
    expect(refused.stderr).not.toMatch(/sysg (stop|restart|reload)(?! --forget tick)/);
  }
  expect(readdirSync(join(home.state, 'units'))).toHaveLength(2);

  const tick = await pidOf(home, 'tick');
  expect(await home.sysg('restart', '--supervisor')).toMatchObject({ code: 0 });
  expect([await pidOf(home, 'tick'), (await home.unit('tick')).ad_hoc]).toEqual([tick, true]);
  const supervisor = home.supervisorPid();
  process.kill(supervisor, 'SIGKILL');
  await soon('another supervisor answers', async () => home.supervisorPid() !== supervisor && (await home.sysg('status')).code === 0);
  expect([await pidOf(home, 'tick'), await pidOf(home, 'web'), (await home.unit('tick')).ad_hoc]).toEqual([tick, web, true]);
  expect((await home.sysg('plan')).stdout).toBe('nothing would change: 3 units unchanged\n');
  expect(await home.sysg('reload')).toMatchObject({ code: 0, stdout: 'Configuration reloaded: 3 unchanged\n' });
  expect((await home.sysg('doctor')).code).toBe(0);

  expect(await home.sysg('stop', '--forget', 'web')).toMatchObject({ code: 1, stderr: expect.stringContaining("Service 'web' belongs to the configuration") });
  expect(await home.sysg('stop', '--forget')).toMatchObject({ code: 2 });
  expect(await home.sysg('stop', '--forget', 'tick')).toMatchObject({ code: 0, stdout: "Service 'tick' stopped and forgotten\n" });
  expect(isAlive(tick)).toBe(false);
  expect(isAlive(web)).toBe(true);
  expect((await names(home)).filter((name) => name === 'tick')).toEqual([]);

  // What is not forgotten comes back with the next supervisor.
  await home.sysg('stop');
  expect((await home.sysg('status', 'sleep*')).stdout).toContain(' (ad-hoc)');
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0 });
  expect(await names(home)).toEqual([expect.stringMatching(/^sleep-/), 'web']);
  await home.sysg('stop');
  expect(await home.sysg('stop', '--forget', 'web')).toMatchObject({ code: 1, stderr: expect.stringContaining("'web' is no unit that was started from the command line") });
  expect(await home.sysg('stop', '--forget', 'sleep*')).toMatchObject({ code: 0, stderr: expect.stringMatching(/Service 'sleep-\w+' forgotten\n$/) });
  expect(listed(home)).toEqual([]);
  expect(readdirSync(join(home.state, 'units'))).toEqual([]);
});

test('a command is refused where services outlived their supervisor, for one begun with the command would end them', async () => {
  const home = makeHome(yaml);
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0 });
  const [web, supervisor, guardian] = [await pidOf(home, 'web'), home.supervisorPid(), home.guardianPid()];
  for (const pid of [guardian, supervisor]) process.kill(pid, 'SIGKILL');
  await soon('both are dead', () => !isAlive(supervisor) && !isAlive(guardian));
  const why = `sysg: web (pid ${web}) of ${home.config} outlived the supervisor: nothing was started. First have a supervisor take over what runs: sysg start --daemonize -c ${home.config}; or end it: sysg stop\n`;
  for (const how of [['--daemonize'], []]) {
    expect(await home.sysg('start', ...how, '--name', 'tick', '--', 'sleep', '1001')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(why) });
  }
  expect([isAlive(web), listed(home)]).toEqual([true, []]);
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0 });
  expect(await home.sysg('start', '--name', 'tick', '--', 'sleep', '1001')).toMatchObject({ code: 0 });
  expect([await pidOf(home, 'web'), await names(home)]).toEqual([web, ['tick', 'web']]);
});

test('a supervisor that is begun with a command takes a configuration beside it, and others after it', async () => {
  const home = makeHome();
  expect(await home.sysg('start', '--daemonize', '--name', 'first', '--', 'sleep', '1000')).toMatchObject({ code: 0 });
  const first = await pidOf(home, 'first');
  expect(await home.sysg('start', '--name', 'second', '--', 'sleep', '1001')).toMatchObject({ code: 0 });
  home.configure(`${yaml}  job: {command: sleep 1003, cron: "0 0 1 1 *"}\n`);
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0, stdout: "Service 'web' started\n" });
  expect(await names(home)).toEqual(['first', 'job', 'second', 'web']);
  expect([await pidOf(home, 'first'), (await home.unit('job')).phase]).toEqual([first, 'waiting']);
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0 });

  // A service of the configuration takes the name over.
  home.configure(`${yaml}  second: {command: sleep 1002}\n`);
  expect(await home.sysg('reload')).toMatchObject({ code: 0 });
  expect((await home.unit('second')).ad_hoc).toBeUndefined();
  expect(listed(home)).toEqual(['first']);
});

test('the unit that a supervisor was begun with can be forgotten, and a list that is damaged is set aside', async () => {
  const home = makeHome();
  expect(await home.sysg('start', '--daemonize', '--name', 'first', '--', 'sleep', '1000')).toMatchObject({ code: 0 });
  expect(await home.sysg('stop', '--forget', 'first')).toMatchObject({ code: 0 });
  expect(await names(home)).toEqual([]);
  expect(await home.sysg('start', '--name', 'second', '--', 'sleep', '1001')).toMatchObject({ code: 0 });
  expect(await names(home)).toEqual(['second']);
  await home.sysg('stop');
  writeFileSync(join(home.state, 'ad-hoc.json'), '{"second":');
  home.configure(yaml);
  for (const words of [['status'], ['stop', '--forget', 'second'], ['start', '--daemonize', '--', 'no-such-program']])
    expect((await home.sysg(...words)).stderr, words[0]).toContain('ad-hoc.json: the list of units started from the command line cannot be read');
  expect(readdirSync(home.state)).not.toContain('ad-hoc.json.corrupt-1');
  const started = await home.sysg('start', '--daemonize');
  expect(started).toMatchObject({ code: 0 });
  expect(await names(home)).toEqual(['web']);
  expect(readdirSync(home.state)).toContain('ad-hoc.json.corrupt-1');
});
