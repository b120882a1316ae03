import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { inSingleQuotes } from '../../words.ts';
import { refuse, type Refused } from '../../errors.ts';
import { collect } from '../../process/tools.ts';

/** One connection of ssh(1), over which several things are done: a person is asked for a password once. */
export interface Connection {
  /** A directory for what comes over it, removed with it. */
  readonly directory: string;
  /** Runs a script of a POSIX shell there. */
  run(script: string): Promise<{ readonly ok: true; readonly output: string } | Refused>;
  /** Makes a socket of that machine one of this. */
  forward(local: string, remote: string): Promise<Refused | null>;
  close(): void;
}

/** `asks`: a person may be asked for a password; else what cannot be opened without is refused. */
export async function connectTo(host: string, env: NodeJS.ProcessEnv, asks: boolean): Promise<{ readonly ok: true; readonly connection: Connection } | Refused> {
  if (host === '' || host.startsWith('-') || /[\s\p{Cc}]/u.test(host)) return refuse(`expected user@machine as ssh knows it, got ${JSON.stringify(host)}`);
  const directory = mkdtempSync(join(tmpdir(), 'sysg-host-'));
  const control = join(directory, 'ssh');
  const options = ['-S', control, '-o', 'BatchMode=yes'];
  const close = (): void => {
    open.delete(close);
    // Once its socket is there nobody types a password any more, for which it would have to mend the terminal; in its first moments ssh may sleep on with a SIGTERM noted.
    master.kill(existsSync(control) ? 'SIGKILL' : 'SIGTERM');
    rmSync(directory, { recursive: true, force: true });
  };
  // Before there is an ssh that could be left behind.
  closeAtEnd(close);
  const master = spawn('ssh', ['-M', '-N', '-S', control, ...(asks ? [] : ['-o', 'BatchMode=yes']), '-o', 'ConnectTimeout=15', '--', host], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const failure = await opened(master, control);
  if (failure !== null) {
    close();
    return refuse(`${host}: ${failure}`);
  }
  const ssh = async (...words: readonly string[]): Promise<{ readonly ok: true; readonly output: string } | Refused> => {
    const ended = await collect('ssh', [...options, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'], limitMs: LIMIT_MS });
    if (ended instanceof Error) return refuse(`${host}: ${ended.message}`);
    return ended.code === 0 ? { ok: true, output: ended.output } : refuse(`${host}: ${ended.complaint.trim() || `ssh ended with code ${ended.code}`}`);
  };
  return {
    ok: true,
    connection: {
      directory, close,
      run: (script) => ssh('--', host, `sh -c '${inSingleQuotes(script)}'`),
      forward: async (local, remote) => {
        const done = await ssh('-O', 'forward', '-L', `${local}:${remote}`, '--', host);
        return done.ok ? null : done;
      },
    },
  };
}

const LIMIT_MS = 30_000;

/** ssh would go on without this process: it waits for others that use its connection. */
const open = new Set<() => void>();
let isHeeded = false;

function closeAtEnd(close: () => void): void {
  if (!isHeeded) {
    isHeeded = true;
    process.once('exit', closeAll);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.once(signal, endBy);
  }
  open.add(close);
}

function closeAll(): void {
  for (const close of open) close();
}

/** As it would have without a listener. */
function endBy(signal: NodeJS.Signals): void {
  closeAll();
  process.kill(process.pid, signal);
}

/** Waits for the connection, for as long as a person types a password. What ssh says when there will be none. */
async function opened(master: ChildProcess, control: string): Promise<string | null> {
  let said = '';
  let isOver = false;
  master.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  master.once('error', (error) => {
    said = `ssh could not be started: ${error.message}`;
    isOver = true;
  }).once('close', () => (isOver = true));
  while (!existsSync(control)) {
    if (isOver) return said.trim() || 'ssh ended without a word';
    await pause(20);
  }
  master.stderr?.destroy();
  return null;
}
