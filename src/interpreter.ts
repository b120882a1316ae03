import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What depends on the program that runs this JavaScript. The program in one file has `interpreter-bun.ts` in the place of this file. */
export interface Interpreter {
  /** The first words of the command line of a supervisor. */
  readonly supervisor: readonly string[];
  /** Makes a supervisor that has loaded its modules smaller and quicker than what this program is set to by itself. */
  spare(): void;
  /** Collects all garbage and gives the memory back, where that is worth the while that it takes: some 60 ms with a thousand services. */
  compact(): void;
  /** The file of the command that a machine is to call when it boots. */
  readonly command: string;
  /** What runs the file of JavaScript that is its first argument, and the variables it needs for that. */
  readonly evaluator: { readonly program: string; readonly env: Readonly<Record<string, string>> };
  /** The soft limit of open files with which the caller called, before this program raised its own; null where that is not known. */
  readonly callersNofile: string | null;
  /** Puts a supervisor in the place of this process, or its guardian where this is process 1; null where the program that runs this JavaScript cannot. */
  readonly become: ((command: readonly string[], stateDir: string, env: NodeJS.ProcessEnv) => never) | null;
  /** A file of the live page; null where the page was not built. */
  pageFile(name: string): Uint8Array<ArrayBuffer> | null;
}

/** Newer Node can be kept from opening its debugger on SIGUSR1 from the first moment; where it cannot, our handler does from its second. */
const deafToDebuggers = (): readonly string[] => (process.allowedNodeEnvironmentFlags.has('--disable-sigusr1') ? ['--disable-sigusr1'] : []);

/** Node's. */
export const interpreter: Interpreter = {
  get supervisor() {
    return [process.execPath, ...deafToDebuggers(), join(import.meta.dirname, 'daemon.js')];
  },
  // Not on the command line: V8 refuses what was compiled before, for Node and for us alike, under flags other than those it was compiled under.
  spare() {
    // Semi-spaces that do not grow keep the process small.
    setFlagsFromString('--semi-space-growth-factor=1');
    // V8 of Node 20 has no compiler between the first and the best: what has run for some milliseconds is compiled again, which takes a fifth of the processor time of a start and pays
    // only for what goes on for long.
    if (process.versions.node.startsWith('20.')) setFlagsFromString('--interrupt-budget=1000000');
  },
  compact() {
    // The context in which the function is found takes as much as a small heap has to give.
    if (process.memoryUsage().heapTotal < 32 * 2 ** 20) return;
    const flags = ['expose-gc', 'compact-on-every-full-gc'];
    for (const flag of flags) setFlagsFromString(`--${flag}`);
    runInNewContext('gc')();
    for (const flag of flags) setFlagsFromString(`--no-${flag}`);
  },
  command: join(import.meta.dirname, 'sysg'),
  evaluator: { program: process.execPath, env: {} },
  // The launcher has found it.
  get callersNofile() {
    return process.env['SYSG_NOFILE'] ?? null;
  },
  become: null,
  pageFile(name) {
    // In the program the files lie beside it; from the sources, where the build puts them.
    const file = [join(import.meta.dirname, 'web', name), join(import.meta.dirname, '../dist/web', name)].find((candidate) => existsSync(candidate));
    return file === undefined ? null : new Uint8Array(readFileSync(file));
  },
};
