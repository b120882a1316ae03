import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import * as plainFile from '../../src/logs/plain-file.ts';
import { tempDir } from '../temp-dir.ts';
import { sysg } from './rig.ts';

function withLogs(...names: readonly string[]): { readonly env: { readonly HOME: string }; readonly dir: string; left(): Record<string, string> } {
  const home = tempDir();
  const dir = join(home, '.local/share/systemg/logs');
  mkdirSync(join(dir, 'spawn'), { recursive: true });
  for (const name of names) writeFileSync(join(dir, name), 'text\n');
  return {
    env: { HOME: home }, dir,
    left: () => Object.fromEntries(readdirSync(dir).filter((name) => name !== 'spawn').sort().map((name) => [name, readFileSync(join(dir, name), 'utf8')])),
  };
}

test('of one unit: its files are emptied by the name under which they are found, made where missing, and its archives go', async () => {
  const logs = withLogs('my_web_stderr.log', 'my_web_stderr.log.1.gz', 'other_stdout.log');
  expect(await sysg(['logs', '-s', 'my-web', '--purge'], { env: logs.env })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  expect(logs.left()).toEqual({ 'my_web_stderr.log': '', 'my-web_stdout.log': '', 'other_stdout.log': 'text\n' });
});

test('of all: every log and the supervisor\'s own, and nothing else', async () => {
  const logs = withLogs('a_stdout.log', 'a_stdout.log.2.gz', 'b_stderr.log', 'supervisor.log', 'supervisor.log.1', 'notes.txt', 'spawn/x_y_1_stdout.log');
  expect(await sysg(['logs', '--purge'], { env: logs.env })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  expect(logs.left()).toEqual({ 'a_stdout.log': '', 'b_stderr.log': '', 'supervisor.log': '', 'notes.txt': 'text\n' });
  expect(readFileSync(join(logs.dir, 'spawn/x_y_1_stdout.log'), 'utf8')).toBe('text\n');
});

test('of names that differ from another unit in signs alone: a pattern means its units, and a name no other one', async () => {
  const logs = withLogs('web_stdout.log', 'web2_stdout.log', 'my_job_stdout.log');
  const config = join(logs.env.HOME, 'sysg.yaml');
  writeFileSync(config, 'version: "1"\nservices: {web: {command: a}, web2: {command: b}, my-job: {command: c}, my_job: {command: d}}\n');
  const purge = (...names: readonly string[]) => sysg(['logs', '-c', config, ...names, '--purge'], { env: logs.env });
  expect(await sysg(['logs', '-c', config, 'web*', '--no-follow', '-k', 'stdout'], { env: logs.env })).toMatchObject({ exitCode: 0, stdout: 'web  | text\nweb2 | text\n' });
  expect(await sysg(['logs', '-c', config, 'WEB', '--no-follow'], { env: logs.env })).toMatchObject({ exitCode: 1, stderr: "sysg: Service 'WEB' not found in configuration, did you mean 'web'?\n" });
  expect(await purge('WEB')).toMatchObject({ exitCode: 1 });
  expect(await purge('my-job')).toMatchObject({ exitCode: 0 });
  expect(logs.left()).toMatchObject({ 'web_stdout.log': 'text\n', 'my_job_stdout.log': 'text\n' });
  expect(await purge('web*')).toMatchObject({ exitCode: 0 });
  expect(logs.left()).toMatchObject({ 'web_stdout.log': '', 'web2_stdout.log': '', 'my_job_stdout.log': 'text\n' });
});

test.each([['of one unit', ['-s', 'a']], ['of all', []]])('%s: what is put away or compressed in the meantime goes too', async (_, words) => {
  const logs = withLogs('a_stdout.log', 'a_stdout.log.1');
  const real = plainFile.emptyFile;
  const emptied = vi.spyOn(plainFile, 'emptyFile').mockImplementation((path) => {
    if (path.endsWith('a_stdout.log')) {
      renameSync(path, `${path}.1`);
      writeFileSync(`${path}.2.gz`, 'text');
      writeFileSync(`${path}.1.times`, 'text');
    }
    real(path);
  });
  onTestFinished(() => emptied.mockRestore());
  expect(await sysg(['logs', '--purge', ...words], { env: logs.env })).toMatchObject({ exitCode: 0 });
  expect(emptied).toHaveBeenCalled();
  expect(logs.left()).toEqual(words.length === 0 ? { 'a_stdout.log': '' } : { 'a_stdout.log': '', 'a_stderr.log': '' });
});

test('of a unit that nobody knows: refused, and no file is made', async () => {
  const logs = withLogs();
  expect(await sysg(['logs', '-s', 'nope', '--purge'], { env: logs.env })).toMatchObject({ exitCode: 1, stderr: "sysg: Service 'nope' not found in configuration\n" });
  expect(logs.left()).toEqual({});
});

test('--stream takes what systemg 0.33.0 takes and refuses in its words', async () => {
  expect(await sysg(['logs', '--stream', 'soon'])).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^sysg: Invalid stream duration 'soon': /) });
});

test('a log that is put away between the look at the directory and its turn is no failure', async () => {
  const logs = withLogs('a_stdout.log', 'b_stdout.log');
  const { emptyFile } = plainFile;
  const emptied = vi.spyOn(plainFile, 'emptyFile').mockImplementation((path) => {
    renameSync(join(logs.dir, 'b_stdout.log'), join(logs.dir, 'b_stdout.log.1'));
    emptied.mockImplementation(emptyFile);
    emptyFile(path);
  });
  onTestFinished(() => emptied.mockRestore());
  expect(await sysg(['logs', '--purge'], { env: logs.env })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  expect(logs.left()).toEqual({ 'a_stdout.log': '', 'b_stdout.log': '' });
});

test('something else in the place of the directory is named, whatever is asked for', async () => {
  const logs = withLogs();
  rmSync(logs.dir, { recursive: true });
  writeFileSync(logs.dir, 'text');
  for (const words of [['--no-follow'], ['web', '--no-follow'], ['-k', 'supervisor', '--no-follow'], ['--purge'], ['web', '--purge']]) {
    expect(await sysg(['logs', ...words], { env: logs.env })).toEqual({
      exitCode: 1, stdout: '', stderr: `sysg: ${logs.dir} is no directory, so that there are no logs; a supervisor sets it aside at its start\n`,
    });
  }
});
