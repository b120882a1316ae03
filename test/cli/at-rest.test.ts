import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownDirectory, sysg } from './rig.ts';

const yaml = 'version: "1"\nservices:\n  web: {command: sleep 60}\n';

function project(): string {
  const home = ownDirectory();
  writeFileSync(join(home, 'sysg.yaml'), yaml);
  return home;
}

test('status without a supervisor says so first and what to do, and its exit code is 3', async () => {
  const home = project();
  const { exitCode, stdout } = await sysg(['status'], { env: { HOME: home } });
  expect(stdout.split('\n')[0]).toMatch(/^No supervisor is running: .* sysg start --daemonize$/);
  expect(stdout).toMatch(/^web +stopped .*inactive/m);
  expect(stdout).not.toContain('healthy');
  expect(exitCode).toBe(3);
});

test('status --json without a supervisor has "supervised": false', async () => {
  const home = project();
  const { exitCode, stdout } = await sysg(['status', '--json'], { env: { HOME: home } });
  expect(JSON.parse(stdout)).toMatchObject({ supervised: false, overall_health: 'degraded', units: [{ name: 'web', health: 'inactive' }] });
  expect(exitCode).toBe(3);
});

test.each([['status'], ['status', '--json']])('%s %s without supervisor and configuration says both', async (...words) => {
  const { exitCode, stdout, stderr } = await sysg(words);
  if (words.length === 1) expect(stdout).toMatch(/^No supervisor is running .*, and there is no configuration to start one with\.$/m);
  else expect(JSON.parse(stdout)).toMatchObject({ supervised: false, units: [] });
  expect(stderr).toContain('No config file found');
  expect(exitCode).toBe(3);
});

test('status without a supervisor names the file of the last one where a start would not find it', async () => {
  const home = ownDirectory();
  const state = join(home, '.local/share/systemg');
  mkdirSync(join(home, 'elsewhere'), { recursive: true });
  mkdirSync(state, { recursive: true });
  writeFileSync(join(home, 'elsewhere/app.yaml'), yaml);
  writeFileSync(join(state, 'config_hint'), join(home, 'elsewhere/app.yaml'));
  const { stdout } = await sysg(['status'], { env: { HOME: home } });
  expect(stdout.split('\n')[0]).toMatch(/sysg start --daemonize -c \/.*\/elsewhere\/app\.yaml$/);
});

test('inspect without a supervisor says so first, and its exit code is 3', async () => {
  const home = project();
  const { exitCode, stdout } = await sysg(['inspect', '-s', 'web'], { env: { HOME: home } });
  expect(stdout.split('\n')[0]).toMatch(/^No supervisor is running/);
  expect(exitCode).toBe(3);
  const json = await sysg(['inspect', '-s', 'web', '--json'], { env: { HOME: home } });
  expect(JSON.parse(json.stdout)).toMatchObject({ supervised: false, unit: { name: 'web' } });
  const none = await sysg(['inspect', '-s', 'web']);
  expect(none.stderr).toMatch(/No supervisor is running .*\n.*No config file found/);
});
