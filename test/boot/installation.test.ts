import { appendFileSync, existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { forecast } from '../../src/boot/forecast.ts';
import { findInstalled, install, uninstall } from '../../src/boot/installation.ts';
import { initSystemOf } from '../../src/boot/machine.ts';
import type { InitSystem } from '../../src/init-system.ts';
import { makeMachine, makeOrder, type TestMachine } from './rig.ts';

const user = { system: false, project: null };

async function ahead(machine: TestMachine, init: InitSystem | null, whose = user, problem: string | null = null) {
  return forecast({ installed: await findInstalled(whose, machine), init, machine, problemOf: () => problem, command: 'sysg ' });
}

test('a user unit: written, linked, announced to systemd, and all of it removed', async () => {
  const machine = makeMachine();
  const file = join(machine.home, '.config/systemd/user/sysg.service');
  const link = join(machine.home, '.config/systemd/user/default.target.wants/sysg.service');
  expect(await install('systemd', makeOrder(machine), machine, false)).toEqual({ ok: true, complaint: null });
  expect([readlinkSync(link), statSync(file).mode & 0o777, machine.ran]).toEqual([file, 0o644, ['systemctl --user daemon-reload']]);
  expect(await install('systemd', makeOrder(machine, { stopSeconds: 900 }), machine, false)).toMatchObject({ ok: true });
  const [found] = await findInstalled(user, machine);
  expect(found).toMatchObject({ isEdited: false, isEnabled: true, order: { stopSeconds: 900 } });
  if (found !== undefined) await uninstall(found, machine);
  expect([existsSync(file), existsSync(link), await findInstalled(user, machine)]).toEqual([false, false, []]);
});

test('the profiles of an entry are known to the forecast, and an entry of an earlier sysg has none', async () => {
  const machine = makeMachine();
  await install('cron', makeOrder(machine, { profiles: ['dev'] }), machine, false);
  expect((await ahead(machine, 'cron')).says).toEqual([expect.stringContaining('sysg.yaml and the services of profile dev (')]);
  await install('cron', makeOrder(machine), machine, false);
  expect(machine.crontab).not.toContain('profile');
  expect((await findInstalled(user, machine)).map(({ order, isEdited }) => [order.profiles, isEdited])).toEqual([[[], false]]);
});

test('projects and system mode have entries of their own', async () => {
  const machine = makeMachine();
  for (const project of [null, 'shop']) for (const system of [false, true]) await install('systemd', makeOrder(machine, { project, system }), machine, false);
  await install('openrc', makeOrder(machine, { system: true }), machine, false);
  expect((await findInstalled({ system: false, project: 'shop' }, machine)).map(({ entry }) => entry.file)).toEqual([join(machine.home, '.config/systemd/user/sysg-shop.service')]);
  expect((await findInstalled({ system: true, project: null }, machine)).map(({ entry }) => entry.file)).toEqual([
    machine.at('/etc/systemd/system/sysg.service'), machine.at('/etc/init.d/sysg'),
  ]);
  expect(readlinkSync(machine.at('/etc/runlevels/default/sysg'))).toBe(machine.at('/etc/init.d/sysg'));
});

test('a file of somebody else is not replaced, unless that is asked for, and never removed', async () => {
  const machine = makeMachine();
  const file = machine.at('/etc/init.d/sysg');
  mkdirSync(machine.at('/etc/init.d'), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  const order = makeOrder(machine, { system: true });
  expect(await install('openrc', order, machine, false)).toMatchObject({ ok: false, reason: expect.stringContaining('--force replaces it') });
  expect([readFileSync(file, 'utf8'), await findInstalled({ system: true, project: null }, machine)]).toEqual(['#!/bin/sh\n', []]);
  expect(await install('openrc', order, machine, true)).toMatchObject({ ok: true });
  expect(statSync(file).mode & 0o777).toBe(0o755);
});

test('what cannot be written is said, with the file', async () => {
  const machine = makeMachine();
  writeFileSync(join(machine.home, '.config'), 'in the way');
  expect(await install('systemd', makeOrder(machine), machine, false)).toMatchObject({ ok: false, reason: expect.stringMatching(/^the user unit .*sysg\.service could not be written: /) });
  expect(await install('cron', makeOrder(machine, { searchPath: `/${'x'.repeat(1000)}` }), machine, false)).toMatchObject({ ok: false, reason: expect.stringContaining('of which cron takes 998') });
  // cron counts bytes.
  expect(await install('cron', makeOrder(machine, { searchPath: `/${'ä'.repeat(480)}` }), machine, false)).toMatchObject({ ok: false });
  expect(machine.crontab).toBe('');
});

test('which init system runs here', () => {
  const machine = makeMachine({ programs: [] });
  expect(initSystemOf(machine, true)).toBeNull();
  mkdirSync(machine.at('/run/openrc'), { recursive: true });
  expect([initSystemOf(machine, true), initSystemOf(machine, false)]).toEqual(['openrc', null]);
  expect(initSystemOf({ ...machine, find: () => '/usr/bin/crontab' }, false)).toBe('cron');
  mkdirSync(machine.at('/run/systemd/system'), { recursive: true });
  expect([initSystemOf(machine, true), initSystemOf(machine, false)]).toEqual(['systemd', 'systemd']);
  expect(initSystemOf(makeMachine({ platform: 'darwin' }), false)).toBe('launchd');
});

test('the forecast: nothing, at login, at boot', async () => {
  const machine = makeMachine();
  expect(await ahead(machine, 'systemd')).toMatchObject({ starts: false, title: null, says: [expect.stringMatching(/^Nothing is installed/)] });
  await install('systemd', makeOrder(machine), machine, false);
  expect(await ahead(machine, 'systemd')).toMatchObject({ starts: false, says: [expect.stringMatching(/^At the next login of ada systemd starts/), expect.stringContaining('loginctl enable-linger ada')] });
  mkdirSync(machine.at('/var/lib/systemd/linger'), { recursive: true });
  writeFileSync(machine.at('/var/lib/systemd/linger/ada'), '');
  expect(await ahead(machine, 'systemd')).toMatchObject({ starts: true, config: join(machine.root, 'sysg.yaml'), says: [expect.stringMatching(/^At the next boot systemd starts a supervisor with/)] });
});

test('the forecast: what keeps it from starting', async () => {
  const machine = makeMachine();
  const order = makeOrder(machine, { system: true });
  const whose = { system: true, project: null };
  await install('systemd', order, machine, false);
  const says = async (init: InitSystem | null = 'systemd', problem: string | null = null): Promise<string> => (await ahead(machine, init, whose, problem)).says.join('\n');
  expect(await says()).toMatch(/^At the next boot systemd starts/);
  expect(await says('openrc')).toContain('is for systemd, which does not run here');
  expect(await says('systemd', 'sysg.yaml:1: broken')).toMatch(/the configuration would be refused\.\nsysg\.yaml:1: broken$/);
  appendFileSync(machine.at('/etc/systemd/system/sysg.service'), '# mine\n');
  expect(await says()).toContain('was edited');
  await install('openrc', order, machine, false);
  expect(await says()).toContain('/etc/init.d/sysg would start it too');
  rmSync(order.config);
  expect(await says()).toContain(`${order.config} does not exist`);
  rmSync(order.program);
  expect(await says()).toContain(`${order.program} is not there any more`);
  rmSync(machine.at('/etc/systemd/system/multi-user.target.wants/sysg.service'));
  expect(await says()).toContain('is not enabled');
});
