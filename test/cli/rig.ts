import { join } from 'node:path';
import type { Surroundings } from '../../src/cli/call.ts';
import { run } from '../../src/cli/run.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { tempDir } from '../temp-dir.ts';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, as an ordinary user with a home of its own. */
export async function sysg(argv: readonly string[], around: Partial<Omit<Surroundings, 'terminal'>> & { readonly columns?: number; readonly color?: boolean; readonly confirm?: (question: string) => boolean } = {}): Promise<Ran> {
  const home = around.env?.['HOME'] ?? tempDir();
  const said = { stdout: '', stderr: '' };
  const terminal: Terminal = {
    columns: around.columns ?? null,
    color: around.color ?? false,
    stderrIsTerminal: () => false,
    write: (text) => {
      said.stdout += Buffer.from(text).toString('utf8');
      return Promise.resolve();
    },
    print: (line) => {
      said.stdout += `${line}\n`;
    },
    ...(around.confirm !== undefined && { confirm: (question: string) => Promise.resolve(around.confirm?.(question) === true) }),
    complain: (line) => {
      said.stderr += `${line}\n`;
    },
  };
  const exitCode = await run(argv, {
    env: { HOME: home }, cwd: home, uid: 1000, systemStateDir: join(home, 'no-such-directory'), ...around, terminal,
  });
  return { exitCode, ...said };
}

/** Waits for a fact. */
export async function until<T>(look: () => T | null | undefined | false, withinMs = 10_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
