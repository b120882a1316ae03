import { spawn } from 'node:child_process';

export interface CommandRequest {
  /** A text for `sh -c`. */
  readonly script: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Ends the whole group when it is aborted. */
  readonly signal: AbortSignal;
}

/** `reason` says why it did not succeed, in words that follow the command's name. */
export type CommandResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Runs a short command in a group of its own, output discarded; the whole group is ended with SIGKILL at the timeout. */
export function runCommand({ script, cwd, env, timeoutMs, signal }: CommandRequest): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', script], { cwd, env, detached: true, stdio: 'ignore' });
    let timedOut = false;
    const end = (): void => {
      // The leader is our unreaped child: its group is ours.
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, timeoutMs);
    signal.addEventListener('abort', end, { once: true });
    const settle = (result: CommandResult): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve(result);
    };
    child.once('error', (error) => settle({ ok: false, reason: `could not be run: ${error.message}` }));
    child.once('exit', (code, killedBy) => {
      if (code === 0) return settle({ ok: true });
      if (timedOut) return settle({ ok: false, reason: `took longer than ${timeoutMs / 1000} s` });
      settle({ ok: false, reason: killedBy === null ? `exited with status ${code}` : `was terminated by signal ${killedBy}` });
    });
  });
}
