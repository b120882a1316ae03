import { symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { discoverConfig } from '../../src/config/discover.ts';
import { configDir } from './config-dir.ts';

test('without a name three files are looked for, in the working directory first', () => {
  const cwd = configDir();
  const config = configDir();
  const find = () => discoverConfig({ cwd: cwd.path, configDir: config.path, explicit: null });
  expect(find()).toEqual({ problem: `No config file found: looked for sysg.config.yaml, sysg.yaml, systemg.yaml in ${cwd.path} and ${config.path}` });
  for (const [dir, name] of [[config, 'systemg.yaml'], [config, 'sysg.config.yaml'], [cwd, 'systemg.yaml'], [cwd, 'sysg.yaml'], [cwd, 'sysg.config.yaml']] as const) {
    const path = dir.write(name, '');
    expect(find()).toEqual({ path });
  }
});

test('a named file is taken from the working directory, then from the config directory', () => {
  const cwd = configDir();
  const config = configDir();
  const find = (explicit: string) => discoverConfig({ cwd: cwd.path, configDir: config.path, explicit });
  expect(find('a.yaml')).toEqual({ path: `${cwd.path}/a.yaml` });
  const inConfig = config.write('a.yaml', '');
  expect(find('a.yaml')).toEqual({ path: inConfig });
  const inCwd = cwd.write('a.yaml', '');
  expect(find('a.yaml')).toEqual({ path: inCwd });
  expect(find('/nowhere/a.yaml')).toEqual({ path: '/nowhere/a.yaml' });
  expect(find('')).toEqual({ problem: expect.stringContaining('No config file found') });
});

test('a link is followed to the file that it names', () => {
  const cwd = configDir();
  const target = cwd.write('real/app.yaml', '');
  symlinkSync(target, `${cwd.path}/sysg.yaml`);
  expect(discoverConfig({ cwd: cwd.path, configDir: cwd.path, explicit: null })).toEqual({ path: target });
});

test('a link on the way to the file is left to each reading, which follows it anew', () => {
  const cwd = configDir();
  cwd.write('releases/1/sysg.yaml', '');
  symlinkSync('releases/1', `${cwd.path}/current`);
  expect(discoverConfig({ cwd: `${cwd.path}/current`, configDir: cwd.path, explicit: null })).toEqual({ path: `${cwd.path}/current/sysg.yaml` });
  expect(discoverConfig({ cwd: cwd.path, configDir: cwd.path, explicit: 'current/sysg.yaml' })).toEqual({ path: `${cwd.path}/current/sysg.yaml` });
  symlinkSync('sysg.yaml', `${cwd.path}/sysg.yaml`);
  expect(discoverConfig({ cwd: cwd.path, configDir: cwd.path, explicit: 'sysg.yaml' })).toEqual({ path: `${cwd.path}/sysg.yaml` });
});

test('a file whose path has a line end is refused: paths of a configuration are noted one a line', () => {
  const cwd = configDir();
  const path = cwd.write('new\nline/sysg.yaml', '');
  const problem = expect.stringContaining(`${JSON.stringify(path)} has a line end in its name`);
  expect(discoverConfig({ cwd: `${cwd.path}/new\nline`, configDir: cwd.path, explicit: null })).toEqual({ problem });
  expect(discoverConfig({ cwd: cwd.path, configDir: cwd.path, explicit: path })).toEqual({ problem });
});
