import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { sysg } from './rig.ts';

describe('whose supervisor is meant', () => {
  test('--sys is for root', async () => {
    expect(await sysg(['--sys', 'status'])).toEqual({ exitCode: 1, stdout: '', stderr: 'sysg: --sys requires root privileges\n' });
  });

  test('root without --sys is warned at a start, not with every command', async () => {
    const warning = 'sysg: warning: Running as root without --sys; state will be stored in userspace paths\n';
    for (const argv of [['start'], ['up'], ['start', '-s', 'web']]) expect((await sysg(argv, { uid: 0 })).stderr.split(warning)).toHaveLength(2);
    for (const argv of [['status'], ['stop'], ['restart'], ['logs'], ['validate']]) expect((await sysg(argv, { uid: 0 })).stderr).not.toContain('Running as root');
  });

  test('unless only errors are to be reported', async () => {
    const { stderr } = await sysg(['start', '--log-level', 'error'], { uid: 0 });
    expect(stderr).not.toContain('warning');
  });

  test.each(['sysg.pid', 'control.sock'])('root without --sys is refused where system mode has left its %s', async (name) => {
    const systemStateDir = tempDir();
    writeFileSync(join(systemStateDir, name), '');
    const { exitCode, stderr } = await sysg(['status'], { uid: 0, systemStateDir });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`sysg: Detected system-mode state at ${systemStateDir} while running as root without --sys. Re-run with --sys`);
  });

  test('--drop-privileges is warned about where it does nothing', async () => {
    expect((await sysg(['stop', '--drop-privileges'])).stderr).toContain('only applies when spawning child services during start/restart');
    expect((await sysg(['restart', '--drop-privileges'])).stderr).toContain('--drop-privileges has no effect when not running as root');
  });
});

describe('purge', () => {
  const home = (): { readonly env: NodeJS.ProcessEnv; readonly state: string } => {
    const directory = tempDir();
    const state = join(directory, '.local/share/systemg');
    mkdirSync(state, { recursive: true, mode: 0o700 });
    return { env: { HOME: directory }, state };
  };

  test('asks a person, and removes nothing without a yes', async () => {
    const { env, state } = home();
    const asked: string[] = [];
    const answer = (yes: boolean) => (question: string): boolean => asked.push(question) > 0 && yes;
    expect(await sysg(['purge'], { env, confirm: answer(false) })).toEqual({ exitCode: 1, stdout: '', stderr: 'sysg: nothing was purged\n' });
    expect([asked, existsSync(state)]).toEqual([[`This removes ${state}, logs included. Go on?`], true]);
    expect(await sysg(['purge'], { env, confirm: answer(true) })).toMatchObject({ exitCode: 0, stdout: 'All systemg state has been purged\n' });
    expect(existsSync(state)).toBe(false);
    // There is nothing left to ask about.
    expect(await sysg(['purge'], { env, confirm: answer(false) })).toMatchObject({ exitCode: 0 });
    expect(asked).toHaveLength(2);
  });

  test('removes nothing where the file that says whose state is meant is not there, or names no project', async () => {
    const { env, state } = home();
    const cwd = tempDir();
    for (const words of [['-c', 'none.yaml'], ['-c', join(cwd, 'none.yaml')]]) {
      expect(await sysg(['purge', '--yes', ...words], { env, cwd })).toEqual({ exitCode: 1, stdout: '', stderr: `sysg: ${join(cwd, 'none.yaml')}: there is no such file; nothing was purged\n` });
    }
    writeFileSync(join(cwd, 'sysg.yaml'), 'version: "1"\nproject: a/b\n');
    for (const words of [[], ['-c', 'sysg.yaml']]) {
      const { exitCode, stderr } = await sysg(['purge', '--yes', ...words], { env, cwd });
      expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/sysg\.yaml: project: expected a name of .*, got "a\/b"; nothing was purged$/m)]);
    }
    expect(existsSync(state)).toBe(true);
    // Said otherwise, it is known.
    expect(await sysg(['purge', '--yes', '-p', ''], { env, cwd })).toMatchObject({ exitCode: 0 });
    expect(existsSync(state)).toBe(false);
  });

  test('asks nobody with --yes, or where nobody is there', async () => {
    const refuses = (): never => {
      throw new Error('asked');
    };
    for (const [argv, around] of [[['purge', '--yes'], { confirm: refuses }], [['purge'], {}]] as const) {
      const { env, state } = home();
      expect(await sysg([...argv], { env, ...around })).toMatchObject({ exitCode: 0 });
      expect(existsSync(state)).toBe(false);
    }
  });
});

describe('without a supervisor', () => {
  test.each([['restart'], ['reload'], ['plan'], ['plan', '--json'], ['signal', '-s', 'web', 'HUP'], ['wait', 'web', '--for', 'ready']])('%s %s says so and how to start one', async (...argv) => {
    const home = tempDir();
    const { exitCode, stderr, stdout } = await sysg(argv, { env: { HOME: home } });
    expect(stderr).toBe(`sysg: no supervisor is running (state directory ${home}/.local/share/systemg); start one with: sysg start --daemonize -c FILE\n`);
    writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices:\n  web: {command: sleep 1}\n');
    expect((await sysg(argv, { env: { HOME: home }, cwd: home })).stderr).toMatch(/; start one with: sysg start --daemonize\n$/);
    expect((await sysg([...argv, '-c', 'sysg.yaml'], { env: { HOME: home }, cwd: home })).stderr).toMatch(/; start one with: sysg start --daemonize\n$/);
    writeFileSync(join(home, 'it.yaml'), 'version: "1"\nservices: {}\n');
    expect((await sysg([...argv, '-c', 'it.yaml'], { env: { HOME: home }, cwd: home })).stderr).toMatch(/; start one with: sysg start --daemonize -c \/.*\/it\.yaml\n$/);
    expect((await sysg([...argv, '-c', 'gone.yaml'], { env: { HOME: home }, cwd: home })).stderr).toMatch(/\/systemg\), and there is no file \/.*\/gone\.yaml\n$/);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  });

  test('restart --json puts the refusal on stdout too', async () => {
    const { stdout } = await sysg(['restart', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, units: [], message: expect.stringContaining('no supervisor is running') });
  });

  test('stop has nothing to do, which is no failure where there is a configuration', async () => {
    const home = tempDir();
    writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices:\n  web: {command: sleep 1}\n');
    const { exitCode, stderr } = await sysg(['stop'], { env: { HOME: home } });
    expect(stderr).toMatch(/^sysg: no supervisor is running \(state directory .*\)\n$/);
    expect(exitCode).toBe(0);
  });

  test('stop with a configuration that cannot be read fails with the place of the mistake', async () => {
    const home = tempDir();
    writeFileSync(join(home, 'broken.yaml'), 'version: "1"\nservices:\n  web: {comand: sleep 1}\n');
    const { exitCode, stderr } = await sysg(['stop', '-c', 'broken.yaml'], { env: { HOME: home } });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${home}/broken.yaml:3:9: services.web.comand: unknown key 'comand', did you mean 'command'?`);
  });

  test('without any configuration start names the places that were searched, and stop has nothing to do', async () => {
    const start = await sysg(['start']);
    expect([start.exitCode, start.stderr]).toEqual([1, expect.stringContaining('No config file found: looked for sysg.config.yaml, sysg.yaml, systemg.yaml in ')]);
    const stop = await sysg(['stop']);
    expect([stop.exitCode, stop.stderr]).toEqual([0, expect.stringMatching(/^sysg: no supervisor .*\n$/i)]);
  });

  test('start without a configuration names the file of another supervisor that is there, and how one is made of it', async () => {
    const home = tempDir();
    writeFileSync(join(home, 'Procfile'), 'web: node server.js\n');
    const { exitCode, stderr } = await sysg(['start'], { env: { HOME: home }, cwd: home });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(/^sysg: No config file found: .*\.config\/systemg; to make one of the Procfile that is there: sysg import Procfile\n$/) });
  });

  test('start without a configuration says how one begins, or names the file above', async () => {
    const home = tempDir();
    const inner = join(home, 'app/my src');
    mkdirSync(inner, { recursive: true });
    const begin = await sysg(['start'], { env: { HOME: home }, cwd: inner });
    expect(begin.stderr).toMatch(/; to begin, write this into sysg\.config\.yaml: (.*); one program needs no file: sysg start -- COMMAND\n$/);
    const [, shortest = ''] = /sysg\.config\.yaml: (.*); one program/.exec(begin.stderr) ?? [];
    writeFileSync(join(home, 'sysg.yaml'), shortest);
    expect((await sysg(['validate', '-c', join(home, 'sysg.yaml')], { env: { HOME: home }, cwd: inner })).exitCode).toBe(0);
    const above = await sysg(['start'], { env: { HOME: home }, cwd: inner });
    expect([above.exitCode, above.stderr]).toEqual([1, expect.stringMatching(/^sysg: No config file found: .*; there is one in a directory above, to be named with: -c \.\.\/\.\.\/sysg\.yaml\n$/)]);
  });

  test('logs shows what is on file and ends', async () => {
    const home = tempDir();
    const logDir = join(home, '.local/share/systemg/logs');
    mkdirSync(logDir, { recursive: true });
    writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices:\n  b: {command: sleep 1}\n  long-name: {command: sleep 1}\n');
    writeFileSync(join(logDir, 'b_stdout.log'), 'one\ntwo\nthree');
    writeFileSync(join(logDir, 'long-name_stdout.log'), 'x\n');
    const around = { env: { HOME: home } };
    expect(await sysg(['logs', '-s', 'b', '-k', 'stdout', '-l', '2'], around)).toEqual({ exitCode: 0, stdout: 'two\nthree', stderr: '' });
    expect((await sysg(['logs', '-k', 'stdout'], around)).stdout).toBe('b         | one\nb         | two\nb         | three\nlong-name | x\n');
    expect((await sysg(['logs', '-s', 'b', '-k', 'stdout', '-l', '1'], { ...around, columns: 40 })).stdout).toContain('│             b [offline]              │\n');
    expect(await sysg(['logs', '-s', 'nope'], around)).toEqual({ exitCode: 1, stdout: '', stderr: "sysg: Service 'nope' not found in configuration\n" });
  });
});
