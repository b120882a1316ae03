import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../../temp-dir.ts';
import { until } from '../rig.ts';

interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

/** The program on a terminal of its own, by script(1); each text is typed when the one it waits for was shown. */
async function onTerminal(typed: readonly (readonly [shown: string, keys: string])[]): Promise<Ended> {
  const directory = tempDir();
  const program = join(directory, 'program.cjs');
  buildSync({ entryPoints: [join(import.meta.dirname, 'fixtures/shows-keys.ts')], bundle: true, platform: 'node', format: 'cjs', outfile: program });
  // The shell tells how the terminal was left behind.
  const child = spawn('script', ['-qefc', `'${process.execPath}' '${program}'; code=$?; stty -a | tr ';' '\\n' | grep -ow -e '-*icanon'; exit $code`, '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  let exitCode: number | null | undefined;
  child.once('close', (code) => {
    exitCode = code;
  });
  for (const [shown, keys] of typed) {
    await until(() => output.includes(shown));
    child.stdin.write(keys);
  }
  await until(() => exitCode !== undefined);
  return { exitCode: exitCode ?? null, output };
}

const entered = '\u001b[?1049h';
const left = '\u001b[?1049l';

describe.runIf(process.platform === 'linux')('a screen', () => {
  test.each([
    ['its own key', 'q', 7], ['Ctrl-C', '\u0003', 130], ['a signal', '$', 143], ['a mistake of ours', '!', 1],
  ])('puts the terminal back after %s', async (_way, key, exitCode) => {
    const ended = await onTerminal([['ready', 'a'], ['pressed a', key]]);
    expect(ended.exitCode).toBe(exitCode);
    const { output } = ended;
    expect(output.indexOf(entered)).toBeGreaterThanOrEqual(0);
    expect(output.lastIndexOf(left)).toBeGreaterThan(output.lastIndexOf(entered));
    expect(output.lastIndexOf('\u001b[?25h')).toBeGreaterThan(output.lastIndexOf('\u001b[?25l'));
    expect(output).toMatch(/(^|[^-])icanon\s*$/);
  });

  test('reads arrows, and a lone escape, and never asks for the mouse', async () => {
    const { output } = await onTerminal([['ready', '\u001b[A'], ['pressed up', '\u001b'], ['pressed up escape', 'q']]);
    // eslint-disable-next-line no-control-regex
    expect(output).not.toMatch(/\u001b\[\?(9|100\d|1015|1016)h/);
  });
});
