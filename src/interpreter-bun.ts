import { readFileSync } from 'node:fs';
import { attempt } from './errors.ts';
import guardian from './guardian.sh';
import type { Interpreter } from './interpreter.ts';
import { supervisorWord } from './supervisor-word.ts';

/** The files of the live page, put beside this by the build (.build/standalone.mjs). */
declare const require: (file: './sysg-page.js') => Readonly<Record<string, string>>;

/** Bun's, in an executable that has everything in it. */
export const interpreter: Interpreter = {
  supervisor: [process.execPath, supervisorWord],
  // The build has set what can be set.
  spare: () => undefined,
  // Once a second Bun does it.
  compact: () => undefined,
  command: process.execPath,
  evaluator: { program: process.execPath, env: { BUN_BE_BUN: '1' } },
  get callersNofile() {
    return process.env['SYSG_NOFILE'] ?? parentsNofile();
  },
  become([program = process.execPath, ...words], stateDir, env) {
    const { execve } = process as unknown as { execve(file: string, words: readonly string[], env: NodeJS.ProcessEnv): never };
    if (process.pid !== 1) return execve.call(process, program, [program, ...words], env);
    return execve.call(process, '/bin/sh', ['/bin/sh', '-c', `${guardian}\nguard "$@"`, 'sysg', stateDir, program, ...words], env);
  },
  pageFile(name) {
    const text = require('./sysg-page.js')[name];
    return text === undefined ? null : new Uint8Array(Buffer.from(text));
  },
};

/** Bun raises the limit before any JavaScript runs, and nothing keeps what it was; the caller has the same as a rule. */
function parentsNofile(): string | null {
  // No /proc, or another user's process.
  return /^Max open files\s+([0-9]+)/m.exec(attempt(() => readFileSync(`/proc/${process.ppid}/limits`, 'latin1'), ''))?.[1] ?? null;
}
