import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, rmdirSync, statSync, symlinkSync, writeFileSync, existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPlainFile, replaceFile } from '../../src/files.ts';
import { runtimePaths } from '../../src/runtime-paths.ts';
import { openAppendFile } from '../../src/state/append-file.ts';
import { isPrepared, prepareRuntime, removeRuntimeFiles } from '../../src/state/runtime.ts';
import { tempDir } from '../temp-dir.ts';

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

  test('a HOME with a line end, below which no configuration could be named, is refused', () => {
    const paths = runtimePaths({ system: false, env: { HOME: join(tempDir(), 'new\nline') } });
    expect(prepareRuntime(paths)).toContain(`${JSON.stringify(paths.stateDir)} has a line end in its name`);
    expect(existsSync(paths.stateDir)).toBe(false);
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

  test('nothing is made where the path of the socket would be too long for one', () => {
    const home = join(tempDir(), 'x'.repeat(120));
    mkdirSync(home);
    const paths = runtimePaths({ system: false, env: { HOME: home } });
    expect(prepareRuntime(paths)).toBe(`socket path ${paths.socket} has ${paths.socket.length} bytes, at most ${process.platform === 'linux' ? 107 : 103} are possible; use a shorter HOME`);
    expect(existsSync(join(home, '.local'))).toBe(false);
  });

  test('a file in the place of the directory is refused', () => {
    const home = tempDir();
    mkdirSync(join(home, '.local/share'), { recursive: true });
    writeFileSync(join(home, '.local/share/systemg'), '');
    expect(prepareRuntime(runtimePaths({ system: false, env: { HOME: home } }))).toMatch(/systemg: cannot be prepared: EEXIST/);
  });

  test.each([
    ['a file', (path: string) => writeFileSync(path, 'kept')], ['a dangling link', (path: string) => symlinkSync('/nowhere/at/all', path)],
    ['a link to itself', (path: string) => symlinkSync(path, path)],
  ])('%s in the place of the logs or the FIFOs is set aside and named', (_what, put) => {
    const paths = runtimePaths({ system: false, env: { HOME: tempDir() } });
    expect(prepareRuntime(paths)).toBeNull();
    for (const directory of [paths.fifoDir, paths.logDir]) {
      rmdirSync(directory);
      put(directory);
    }
    expect(isPrepared(paths)).toBe(false);
    const said: string[] = [];
    expect(prepareRuntime(paths, (text) => said.push(text))).toBeNull();
    expect(said).toEqual([paths.fifoDir, paths.logDir].map((directory) => `${directory}: is no directory; what was there is ${directory}.aside now`));
    expect(isPrepared(paths)).toBe(true);
    expect([lstatSync(`${paths.logDir}.aside`).isDirectory(), mode(paths.logDir)]).toEqual([false, 0o700]);
  });

  const files = ['ledger.ndjson', 'ledger.ndjson.reserve', 'journal.ndjson', 'state.xml', 'pid.xml', 'cron_state.xml', 'sysg.pid', 'logs/supervisor.log', 'config.last.json', 'ad-hoc.json'];

  test.each([...files, 'supervisor.lock'])('a FIFO, a directory or a link to itself in the place of %s is set aside, and no reader waits for it', (name) => {
    const paths = runtimePaths({ system: false, env: { HOME: tempDir() } });
    expect(prepareRuntime(paths)).toBeNull();
    const path = join(paths.stateDir, name);
    const said: string[] = [];
    for (const put of [() => spawnSync('mkfifo', [path]), () => mkdirSync(path), () => symlinkSync(path, path)]) {
      put();
      expect(() => readPlainFile(path)).toThrow(/is no plain file|EISDIR|ELOOP/);
      expect(prepareRuntime(paths, (text) => said.push(text))).toBeNull();
      expect(existsSync(path)).toBe(false);
    }
    const why = ['is not the file that belongs there', 'is not the file that belongs there', 'is a symbolic link, through which nothing is written'];
    expect(said).toEqual(['', '-2', '-3'].map((number, index) => `${path}: ${why[index]}; what was there is ${path}.aside${number} now`));
  });

  test.each(files)('a link to a file of the user\'s in the place of %s is set aside, and the file is left alone', (name) => {
    const home = tempDir();
    const paths = runtimePaths({ system: false, env: { HOME: home } });
    expect(prepareRuntime(paths)).toBeNull();
    const [path, precious] = [join(paths.stateDir, name), join(home, 'precious')];
    writeFileSync(precious, 'precious');
    symlinkSync(precious, path);
    if (name.includes('ndjson')) expect(() => openAppendFile(path)).toThrow(/ELOOP/);
    const said: string[] = [];
    expect(prepareRuntime(paths, (text) => said.push(text))).toBeNull();
    expect(said).toEqual([`${path}: is a symbolic link, through which nothing is written; what was there is ${path}.aside now`]);
    expect([existsSync(path), readFileSync(precious, 'utf8')]).toEqual([false, 'precious']);
  });

  test.each([...files, 'config_hint'].filter((name) => !name.includes('/')))('a directory where %s is written before it takes its place is set aside; what is written over anyway is not', (name) => {
    const paths = runtimePaths({ system: false, env: { HOME: tempDir() } });
    expect(prepareRuntime(paths)).toBeNull();
    const [file, temporary, said] = [join(paths.stateDir, name), join(paths.stateDir, `${name}.tmp`), new Array<string>()];
    mkdirSync(join(temporary, 'precious'), { recursive: true });
    expect(() => replaceFile(file, 'text', { durable: false })).toThrow(`${temporary} is a directory: move it away`);
    expect([isPrepared(paths), prepareRuntime(paths, (text) => said.push(text))]).toEqual([false, null]);
    expect(said).toEqual([`${temporary}: is a directory in the way of a file; what was there is ${temporary}.aside now`]);
    expect(existsSync(`${temporary}.aside/precious`)).toBe(true);
    for (const put of [() => spawnSync('mkfifo', [temporary]), () => symlinkSync('/nonexistent/file', temporary), () => symlinkSync(temporary, temporary), () => writeFileSync(temporary, 'torn')]) {
      put();
      expect(isPrepared(paths)).toBe(true);
      replaceFile(file, 'text', { durable: false });
      expect([readFileSync(file, 'utf8'), existsSync(temporary)]).toEqual(['text', false]);
    }
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

test('the files for clients go at a clean end', () => {
  const paths = runtimePaths({ system: false, env: { HOME: tempDir() } });
  prepareRuntime(paths);
  for (const path of [paths.pidFile, paths.configHint, paths.socket]) writeFileSync(path, '');
  expect(removeRuntimeFiles(paths)).toBeNull();
  expect([paths.pidFile, paths.configHint, paths.socket].filter((path) => existsSync(path))).toEqual([]);
  expect(removeRuntimeFiles(paths)).toBeNull();
});
