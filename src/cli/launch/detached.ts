import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Readable } from 'node:stream';
import guardian from '../../guardian.sh';
import { refusals, textOf, type Refusal } from '../../errors.ts';
import { closeInheritable } from '../../process/descriptors.ts';
import { prepareRuntime } from '../../state/runtime.ts';
import { decodeLaunchReport, type SettledUnit } from '../../wire/launch.ts';
import { askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { outcomes } from '../report.ts';
import { waitTimeoutMs } from '../options.ts';
import { daemonCommand, daemonEnvironment } from './daemon-command.ts';

export type Launched =
  | { readonly ok: true; readonly pid: number | null; readonly units: readonly SettledUnit[] }
  /** `pid`: of a supervisor that runs nevertheless. */
  | { readonly ok: false; readonly refusal: Refusal; readonly pid: number | null }
  /** Another supervisor was started at the same time, or runs. */
  | 'held';

/** Starts a supervisor under a guardian of its own and waits until its units, or those that are named, are settled or given up on. */
export async function launchDetached(call: Call, configPath: string, names: readonly string[] | null): Promise<Launched> {
  const unusable = prepareRuntime(call.paths, call.terminal.warn);
  if (unusable !== null) return { ok: false, refusal: refusals.runtime(unusable), pid: null };
  const command = daemonCommand(call, configPath, { names, foreground: false });
  const shell = startGuardian(call, command);
  // Where Node could not make the pipes, as without free descriptors, there are none.
  const readiness = (shell.stdio as typeof shell.stdio | undefined)?.[3];
  const handshake = await Promise.race([
    ...(readiness instanceof Readable ? [followStart(readiness, waitTimeoutMs(call))] : []),
    new Promise<Handshake>((resolve) => {
      shell.once('error', (error) => resolve({ kind: 'refused', message: `sh could not be started: ${error.message}` }));
    }),
  ]);
  shell.unref();
  if (handshake.kind === 'silent' && handshake.pid === null) shell.kill('SIGTERM');
  return handshake.kind === 'late' && handshake.pid !== null ? unitsSoFar(call, handshake.pid, names) : judge(call, handshake);
}

/** The wait is over: a unit that is not up by now is named with the phase it is in. */
async function unitsSoFar(call: Call, pid: number, names: readonly string[] | null): Promise<Launched> {
  const status = await askStatus(call);
  if (!status.ok) return { ok: false, refusal: status.refusal, pid };
  const units = outcomes(status.snapshot, names).map((unit) => (unit.phase === 'starting' ? { ...unit, error: 'was still starting when the wait timeout was over' } : unit));
  return { ok: true, pid, units };
}

/** A shell that reads its script from a pipe: in listings it shows what it runs, and the installation may be replaced under it. */
function startGuardian(call: Call, command: readonly string[]): ChildProcess {
  // What Node itself prints when it crashes goes where people look for it.
  closeInheritable([]);
  const log = openLog(call);
  try {
    const child = spawn('/bin/sh', ['-s', '--', call.paths.stateDir, ...command], {
      stdio: ['pipe', log, log, 'pipe'],
      detached: true,
      cwd: '/',
      env: { ...daemonEnvironment(call), SYSG_READY_FD: '3' },
    });
    // A shell that is gone before it read its script is reported by its silence.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(`${guardian}\nguard "$@"\n`);
    return child;
  } finally {
    if (log !== 'ignore') closeSync(log);
  }
}

/** On a full or read-only disk there may be none; the supervisor says for itself whether it can do without. */
function openLog({ paths: { supervisorLog }, terminal }: Call): number | 'ignore' {
  try {
    return openSync(supervisorLog, 'a', 0o640);
  } catch (error) {
    terminal.warn(`${supervisorLog}: cannot be opened, and takes no reports of the supervisor until it can: ${textOf(error)}`);
    return 'ignore';
  }
}

function judge(call: Call, handshake: Handshake): Launched {
  const { pid } = { pid: null, ...handshake };
  const log = call.paths.supervisorLog;
  switch (handshake.kind) {
    case 'refused': return handshake.held ? 'held' : { ok: false, refusal: refusals.refused(handshake.message), pid: null };
    case 'silent':
      return pid === null
        ? { ok: false, refusal: refusals.died(`the supervisor ended before it was ready; see ${log}`), pid }
        : { ok: false, refusal: refusals.died(`the supervisor died while it started its services and is started again; see ${log}`), pid };
    case 'late': return { ok: false, refusal: refusals.timeout(`no word from the supervisor within the wait timeout; see ${log}`), pid };
    case 'settled': return { ok: true, pid, units: handshake.units };
  }
}

/** What became of a start. `silent`: the supervisor ended without a report; `late`: not every unit was settled in time. */
type Handshake =
  | { readonly kind: 'refused'; readonly message: string; readonly held?: boolean }
  | { readonly kind: 'settled'; readonly pid: number | null; readonly units: readonly SettledUnit[] }
  | { readonly kind: 'silent'; readonly pid: number | null }
  | { readonly kind: 'late'; readonly pid: number | null };

/** Follows the lines of a starting supervisor until the last one that matters, or for `limitMs`. */
function followStart(lines: Readable, limitMs: number): Promise<Handshake> {
  return new Promise((resolve) => {
    let pid: number | null = null;
    let buffered = '';
    const end = (outcome: Handshake): void => {
      clearTimeout(timer);
      lines.off('data', onData).off('end', onEnd).off('error', onEnd);
      lines.on('error', () => undefined);
      lines.destroy();
      resolve(outcome);
    };
    const onEnd = (): void => end({ kind: 'silent', pid });
    const onData = (chunk: string): void => {
      const parts = (buffered + chunk).split('\n');
      buffered = parts.pop() ?? '';
      for (const part of parts) {
        const report = decodeLaunchReport(part);
        if (report?.event === 'listening') pid = report.pid;
        else if (report?.event === 'refused') return end({ ...report, kind: 'refused' });
        else if (report?.event === 'settled') return end({ kind: 'settled', pid, units: report.units });
      }
    };
    const timer = setTimeout(() => end({ kind: 'late', pid }), Math.min(limitMs, 2 ** 31 - 1));
    lines.setEncoding('utf8');
    lines.on('data', onData).once('end', onEnd).once('error', onEnd);
  });
}
