import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { attempt } from '../errors.ts';
import type { InitSystem } from '../init-system.ts';
import { collect, locate, runTool } from '../process/tools.ts';

/** The machine as far as its boot goes. */
export type Machine = ReturnType<typeof machineHere>;

/** Characters of a crontab: written back, one that was cut would lose lines. */
const MOST = 16 * 1024 * 1024;

export function machineHere(env: NodeJS.ProcessEnv, home: string, root = '/') {
  /** Absolute path of a program, or null. */
  const find = (program: string): string | null => locate(program, env['PATH']);
  const crontab = async (words: readonly string[], input: string | null): Promise<string> => {
    const ended = await collect(find('crontab') ?? 'crontab', words, { env: { ...env, LC_ALL: 'C' }, limitMs: 20_000, most: MOST, ...(input !== null && { input }) });
    if (ended instanceof Error) throw ended;
    // crontab(1) of a user without one, and that of busybox, which opens a file by the user's name.
    if (ended.code === 1 && /no crontab for|can't open .*: No such file or directory/.test(ended.complaint)) return '';
    if (ended.code !== 0) throw new Error(`crontab ${words.join(' ')} ended with code ${ended.code}: ${ended.complaint.trim()}`);
    return ended.output;
  };
  return {
    platform: process.platform, env, home, find,
    // ENOENT: a user without an entry in passwd(5).
    user: attempt(() => userInfo().username, null) ?? env['USER'] ?? String(process.getuid?.() ?? ''),
    /** A path of the machine: of its own root, `/`. */
    at: (path: string): string => join(root, path),
    /** Null: done. Else a sentence. */
    run: (program: string, ...words: readonly string[]): string | null => {
      const done = runTool(find(program) ?? program, words);
      return done.ok ? null : done.reason;
    },
    /** The crontab of the user; empty where there is none. Rejects when it cannot be read. */
    readCrontab: () => crontab(['-l'], null),
    writeCrontab: async (text: string): Promise<void> => void await crontab(['-'], text),
  };
}

/** The one that runs here and can start a supervisor of this mode. Null: none that is known. */
export function initSystemOf(machine: Machine, system: boolean): InitSystem | null {
  if (machine.platform === 'darwin') return 'launchd';
  // sd_booted(3)
  if (existsSync(machine.at('/run/systemd/system'))) return 'systemd';
  if (system && existsSync(machine.at('/run/openrc'))) return 'openrc';
  return machine.find('crontab') === null ? null : 'cron';
}
