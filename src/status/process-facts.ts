import { userName } from '../process/accounts.ts';
import { ticksToMs, uptimeMs } from '../process/boot.ts';
import { isLiving, ownerOf, readArguments, readProcStat } from '../process/proc.ts';

/** What the kernel says of a live process, for people. Linux; elsewhere only what the supervisor itself knows. */
export interface ProcessFacts {
  readonly state: 'running' | 'zombie' | 'missing';
  readonly user: string;
  /** Null when the kernel does not show it: another user's process, or a kernel thread. */
  readonly commandLine: string | null;
  /** Since the process began, by the kernel's clock. */
  readonly uptimeMs: number | null;
}

export function processFacts(pid: number, startTime: string): ProcessFacts {
  const stat = process.platform === 'linux' ? readProcStat(pid) : null;
  if (stat === null || stat.startTime !== startTime) {
    return { state: process.platform === 'linux' ? 'missing' : 'running', user: '', commandLine: null, uptimeMs: null };
  }
  const zombie = !isLiving(stat);
  return {
    state: zombie ? 'zombie' : 'running', user: ownerName(pid), commandLine: zombie ? null : commandLine(pid),
    uptimeMs: Math.max(0, uptimeMs() - ticksToMs(Number(startTime))),
  };
}

/** 0.33.0's words: whole units, never singular. */
export function ago(seconds: number): string {
  const steps = [[60, 1, 'secs'], [3600, 60, 'mins'], [86_400, 3600, 'hours'], [604_800, 86_400, 'days'], [Infinity, 604_800, 'weeks']] as const;
  const [, unit, word] = steps.find(([below]) => seconds < below) ?? steps[0];
  return `${Math.floor(seconds / unit)} ${word} ago`;
}

/** As the kernel shows it, on one line; `null` when there is none: a kernel thread, a process that ended or hides it. */
export function commandLine(pid: number): string | null {
  const shown = readArguments(pid)?.join(' ').replaceAll(/[\u0000-\u001f\u007f]/g, ' ').replaceAll(/ {2,}/g, ' ').trim() ?? '';
  return shown === '' ? null : shown;
}

/** The name of a process's user; empty when the process is gone. */
export function ownerName(pid: number): string {
  const uid = ownerOf(pid);
  return uid === null ? '' : userName(uid);
}
