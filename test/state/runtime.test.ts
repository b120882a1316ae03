import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync, existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runtimePaths } from '../../src/runtime-paths.ts';
import { prepareRuntime, removeRuntimeFiles, writeRuntimeFiles } from '../../src/state/runtime.ts';
import { tempDir } from './temp-dir.ts';

const mode = (path: string): number => statSync(path).mode & 0o777;

describe('runtime paths', () => {
  test('user mode lives below HOME', () => {
    const paths = runtimePaths({ system: false, env: { HOME: '/home/ada' } });
    expect(paths.socket).toBe('/home/ada/.local/share/systemg/control.sock');
    expect(paths.supervisorLog).toBe('/home/ada/.local/share/systemg/logs/supervisor.log');
    expect(paths.configDir).toBe('/home/ada/.config/systemg');
  });

  test.each([undefined, '', 'not/absolute'])('with the HOME %j they are in the home of the effective user', (HOME) => {
    expect(runtimePaths({ system: false, env: { HOME } }).stateDir).toBe(join(userInfo().homedir, '.local/share/systemg'));
  });

  test('--sys has fixed places', () => {
    const paths = runtimePaths({ system: true, env: { HOME: '/root' } });
    expect([paths.stateDir, paths.logDir, paths.configDir]).toEqual(['/var/lib/systemg', '/var/log/systemg', '/etc/systemg']);
  });
});

describe('preparing the runtime directory', () => {
  test('directories are created for us alone', () => {
    const paths = runtimePaths({ system: false, env: { HOME: tempDir() } });
    expect(prepareRuntime(paths)).toBeNull();
    expect([paths.stateDir, paths.fifoDir, paths.logDir].map(mode)).toEqual([0o700, 0o700, 0o700]);
  });

  test('our own wider directory is tightened, its files stay', () => {
    const paths = runtimePaths({ system: false, env: { HOME: tempDir() } });
    mkdirSync(paths.stateDir, { recursive: true });
    chmodSync(paths.stateDir, 0o755);
    writeFileSync(paths.ledger, 'x');
    expect(prepareRuntime(paths)).toBeNull();
    expect(mode(paths.stateDir)).toBe(0o700);
    expect(readFileSync(paths.ledger, 'utf8')).toBe('x');
  });

  test.runIf(process.getuid?.() === 0)("a stranger's directory is refused with both uids", () => {
    const paths = runtimePaths({ system: false, env: { HOME: tempDir() } });
    mkdirSync(paths.stateDir, { recursive: true });
    chownSync(paths.stateDir, 65534, 65534);
    expect(prepareRuntime(paths)).toBe(`${paths.stateDir}: belongs to uid 65534, not to uid 0 who runs this supervisor`);
  });

  test('a file in the place of the directory is refused', () => {
    const home = tempDir();
    mkdirSync(join(home, '.local/share'), { recursive: true });
    writeFileSync(join(home, '.local/share/systemg'), '');
    expect(prepareRuntime(runtimePaths({ system: false, env: { HOME: home } }))).toMatch(/systemg: cannot be prepared: EEXIST/);
  });

  test('a directory behind a symbolic link of ours is used', () => {
    const home = tempDir();
    mkdirSync(join(home, 'disk'));
    mkdirSync(join(home, '.local/share'), { recursive: true });
    symlinkSync(join(home, 'disk'), join(home, '.local/share/systemg'));
    expect(prepareRuntime(runtimePaths({ system: false, env: { HOME: home } }))).toBeNull();
    expect(mode(join(home, 'disk'))).toBe(0o700);
  });
});

test('the files for clients hold the pid and the config, for us alone, and go at a clean end', () => {
  const paths = runtimePaths({ system: false, env: { HOME: tempDir() } });
  prepareRuntime(paths);
  expect(writeRuntimeFiles(paths, { pid: 4711, configPath: '/etc/ä.yaml' })).toBeNull();
  expect(readFileSync(paths.pidFile, 'utf8')).toBe('4711');
  expect(readFileSync(paths.configHint, 'utf8')).toBe('/etc/ä.yaml');
  expect(mode(paths.pidFile)).toBe(0o600);
  writeFileSync(paths.socket, '');
  expect(removeRuntimeFiles(paths)).toBeNull();
  expect([paths.pidFile, paths.configHint, paths.socket].filter((path) => existsSync(path))).toEqual([]);
  expect(removeRuntimeFiles(paths)).toBeNull();
});
