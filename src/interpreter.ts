import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import flags from './supervisor-flags.json';

/** What depends on the program that runs this JavaScript. The program in one file has `interpreter-bun.ts` in the place of this file. */
export interface Interpreter {
  /** The first words of the command line of a supervisor. */
  readonly supervisor: readonly string[];
  /** The file of the command that a machine is to call when it boots. */
  readonly command: string;
  /** What runs the JavaScript of the argument that follows, and the variables it needs for that. */
  readonly evaluator: { readonly program: string; readonly words: readonly string[]; readonly env: Readonly<Record<string, string>> };
  /** The soft limit of open files with which the caller called, before this program raised its own; null where that is not known. */
  readonly callersNofile: string | null;
  /** Puts a supervisor in the place of this process, or its guardian where this is process 1; null where the program that runs this JavaScript cannot. */
  readonly become: ((command: readonly string[], stateDir: string, env: NodeJS.ProcessEnv) => never) | null;
  /** A file of the live page; null where the page was not built. */
  pageFile(name: string): Uint8Array<ArrayBuffer> | null;
}

/** Newer Node can be kept from opening its debugger on SIGUSR1 from the first moment; where it cannot, our handler does from its second. */
const deafToDebuggers = (): readonly string[] => (process.allowedNodeEnvironmentFlags.has('--disable-sigusr1') ? ['--disable-sigusr1'] : []);

/**
 * Small semi-spaces keep the process small. V8 of Node 20 has no compiler between the first and the best: what has run for some milliseconds is compiled again, which takes a fifth of the
 * processor time of a start and pays only for what goes on for long. The build reads these flags, too: V8 uses what was compiled before under the same ones alone.
 */
function flagsOfNode(): readonly string[] {
  const byVersion: Readonly<Record<string, readonly string[]>> = flags;
  return [...flags.every, ...(byVersion[process.versions.node.split('.', 1)[0] ?? ''] ?? [])];
}

/** Node's. */
export const interpreter: Interpreter = {
  get supervisor() {
    return [process.execPath, ...flagsOfNode(), ...deafToDebuggers(), join(import.meta.dirname, 'daemon.js')];
  },
  command: join(import.meta.dirname, 'sysg'),
  evaluator: { program: process.execPath, words: ['-e'], env: {} },
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
