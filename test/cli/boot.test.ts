import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { sysg } from './rig.ts';

/** crontab(1) as far as it is used here: `-l`, and a new one from standard input. */
const crontab = `#!/bin/sh
file=\${0%/*}/table
case $1 in
  -l) [ -f "$file" ] && exec cat "$file"; echo "no crontab for ada" >&2; exit 1 ;;
  -) exec cat >"$file" ;;
esac
`;

test('boot install, status and uninstall, with a line of crontab', async () => {
  const home = tempDir();
  writeFileSync(join(home, 'crontab'), crontab, { mode: 0o755 });
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices: {web: {command: sleep 9}}\n');
  const around = { env: { HOME: home, PATH: `${home}:/usr/bin:/bin` }, cwd: home };
  const table = (): string => readFileSync(join(home, 'table'), 'utf8');
  const printed = await sysg(['boot', 'install', '--init', 'cron', '--print'], around);
  expect(printed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^# sysg boot .*\n@reboot env PATH=/), stderr: '' });
  // A table that is longer than what is usually kept of a tool's output.
  const others = `# ${'x'.repeat(80)}\n`.repeat(500);
  writeFileSync(join(home, 'table'), others);
  await sysg(['boot', 'install', '--init', 'cron'], around);
  expect(table()).toBe(others + printed.stdout);
  const removed = await sysg(['boot', 'uninstall'], around);
  expect([removed.exitCode, table()]).toEqual([0, others]);
  expect(await sysg(['boot', 'status', '--init', 'cron', '--json'], around)).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('"starts": false') });
});

test('boot install remembers the profiles that are chosen', async () => {
  const home = tempDir();
  writeFileSync(join(home, 'crontab'), crontab, { mode: 0o755 });
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices: {web: {command: sleep 9}, debug: {command: sleep 9, profiles: [dev, more]}}\n');
  const around = { env: { HOME: home, PATH: `${home}:/usr/bin:/bin` }, cwd: home };
  const install = ['boot', 'install', '--init', 'cron', '--profile', 'dev', '--profile', 'more'];
  expect(await sysg([...install, '--profile', 'dve'], around)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("no service has the profile 'dve', did you mean 'dev'?") });
  expect(await sysg(install, around)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('sysg boot install --profile dev --profile more') });
  expect(readFileSync(join(home, 'table'), 'utf8')).toMatch(/\n@reboot .* start --daemonize --config \S+\/sysg\.yaml --profile dev --profile more\n/);
});

test('boot install with the crontab(1) of busybox, whose user has no table yet', async () => {
  const home = tempDir();
  writeFileSync(join(home, 'crontab'), crontab.replace('no crontab for ada', "crontab: can't open 'ada': No such file or directory"), { mode: 0o755 });
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices: {web: {command: sleep 9}}\n');
  const around = { env: { HOME: home, PATH: `${home}:/usr/bin:/bin` }, cwd: home };
  expect(await sysg(['boot', 'install', '--init', 'cron'], around)).toMatchObject({ exitCode: 0, stderr: '' });
  expect(readFileSync(join(home, 'table'), 'utf8')).toMatch(/\n@reboot .*\n$/);
});

test('boot install refuses a profile with a line end, which would begin a line of its own', async () => {
  const home = tempDir();
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices: {web: {command: sleep 9, profiles: ["a\\nb"]}}\n');
  const refused = await sysg(['boot', 'install', '--init', 'systemd', '--print', '--profile', 'a\nb'], { env: { HOME: home, PATH: '/usr/bin:/bin' }, cwd: home });
  expect(refused).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('"a\\nb": control characters cannot be written into the files of init systems') });
});

test('boot install refuses what would not start, and words that it does not know', async () => {
  const home = tempDir();
  const around = { env: { HOME: home }, cwd: home };
  expect(await sysg(['boot', 'install', '--init', 'systemd'], around)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('No config file found') });
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices: {web: {comand: sleep 9}}\n');
  expect(await sysg(['boot', 'install', '--init', 'systemd'], around)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("unknown key 'comand'") });
  expect(await sysg(['boot', 'instal'], around)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("did you mean 'install'") });
  expect(await sysg(['boot', 'install', '--init', 'sysv'], around)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('expected systemd, openrc, cron, launchd') });
});
