import { chmodSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { until } from './until.ts';

// Each test file has a temporary directory of its own. It goes, with all that was made in it, when the last test is over, so that no test has to remove what it made.
// The names are short: those of sockets have an end. Services of other users come through, as through /tmp.
const run: { base?: string; left?: string; kill?: typeof process.kill } = ((globalThis as { temporary?: object }).temporary ??= {});
const base = (run.base ??= tmpdir());
// Where all tests of a file are skipped, nothing is run after them.
if (run.left !== undefined) rmSync(run.left, { recursive: true, force: true });
const directory = mkdtempSync(join(base, 'sysg-'));
run.left = directory;
chmodSync(directory, 0o1777);
process.env['TMPDIR'] = directory;

// kill(2): 0 is the process group that all tests are in, and -1 every process there is. A number that was read before it was written must be neither.
if (run.kill === undefined) {
  const kill = (run.kill = process.kill.bind(process));
  process.kill = (pid, signal) => {
    if (!Number.isInteger(pid) || pid === 0 || pid === -1) throw new Error(`a test would signal ${pid}`);
    return kill(pid, signal);
  };
}

afterAll(async () => {
  process.env['TMPDIR'] = base;
  let left: readonly string[] = [];
  try {
    await until('no program of this test file runs any more', () => (left = programsIn(directory)).length === 0);
  } catch (error) {
    throw new Error(`the tests of this file left running: ${left.join('; ')}`, { cause: error });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** Programs that work in the directory, or were told a path in it. */
function programsIn(path: string): readonly string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return command !== '' && (command.includes(path) || readlinkSync(`/proc/${pid}/cwd`).startsWith(path)) ? [`${pid} ${command}`] : [];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}
