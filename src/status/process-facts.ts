import { readFileSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { userName } from '../process/accounts.ts';
import { ageByPs } from '../process/darwin.ts';
import { kernelUnits, ticksToMs, uptimeMs } from '../process/boot.ts';
import { isLiving, ownerOf, readArguments, readProcStat, readStatText, statFields, type ProcessStat } from '../process/proc.ts';
import type { ProcessRuntime, UnitHealth, UptimeInfo } from '../wire/payloads.ts';

/** What the kernel says of a live process, for people. Linux; on macOS how long it has been running, elsewhere only what the supervisor itself knows. */
export interface ProcessFacts {
  readonly state: 'running' | 'zombie' | 'missing';
  /** By a signal; one that is being traced goes on. Only Linux shows it. */
  readonly isHalted: boolean;
  readonly user: string;
  /** Null when the kernel does not show it: another user's process, or a kernel thread. */
  readonly commandLine: string | null;
  /** Since the process began, by the kernel's clock. */
  readonly uptimeMs: number | null;
}

/** What is the same for all processes of one answer: read once, when the first of them needs it. */
export type Look = ReturnType<typeof beginLook>;

export function beginLook() {
  const names = new Map<number, string>();
  let uptime: number | null = null;
  return {
    /** As in `boot.ts`, of one instant. */
    uptimeMs: (): number => (uptime ??= uptimeMs()),
    userName: (uid: number): string => {
      const name = names.get(uid) ?? userName(uid);
      names.set(uid, name);
      return name;
    },
  };
}

/** `seen`: its line in /proc, where that has just been read. */
export function processFacts(pid: number, startTime: string, { look = beginLook(), seen = null }: { look?: Look; seen?: Pick<ProcessStat, 'state'> | null } = {}): ProcessFacts {
  if (process.platform !== 'linux') return { ...unknown, state: 'running', ...(process.platform === 'darwin' && { uptimeMs: ageByPs(startTime, Date.now()) }) };
  const stat = seen ?? readStatOf(pid, startTime);
  if (stat === null) return { ...unknown, state: 'missing' };
  const state = isLiving(stat) ? 'running' : 'zombie';
  return {
    state, isHalted: stat.state === 'T', user: ownerName(pid, look), commandLine: state === 'zombie' ? null : commandLine(pid),
    uptimeMs: Math.max(0, look.uptimeMs() - ticksToMs(Number(startTime))),
  };
}

const unknown = { isHalted: false, user: '', commandLine: null, uptimeMs: null } as const;

function readStatOf(pid: number, startTime: string): ProcessStat | null {
  const stat = readProcStat(pid);
  return stat?.startTime === startTime ? stat : null;
}

/** What a signal has halted does nothing for anybody. */
export function healthWith(facts: ProcessFacts | null, health: UnitHealth): UnitHealth {
  return health === 'healthy' && facts?.isHalted === true ? 'degraded' : health;
}

/** What an answer says of a process; null facts are of one that is gone. */
export function runtimeOf(pid: number, facts: ProcessFacts | null): ProcessRuntime {
  return { pid, state: facts?.state ?? 'missing', user: facts?.user ?? '', ...(facts?.isHalted === true && { halted: true }) };
}

/** Null for a process that does not run. */
export function uptimeOf(facts: ProcessFacts | null, wallMs: number): UptimeInfo | null {
  if (facts?.state !== 'running' || facts.uptimeMs === null) return null;
  const seconds = Math.floor(facts.uptimeMs / 1000);
  return { seconds, human: ago(seconds), started_at: new Date(wallMs - facts.uptimeMs).toISOString() };
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
export function ownerName(pid: number, look: Pick<Look, 'userName'> = { userName }): string {
  const uid = ownerOf(pid);
  return uid === null ? '' : look.userName(uid);
}

/** One process as the kernel shows it, for a table. */
export interface ProcessDetail {
  readonly pid: number;
  readonly parentPid: number;
  readonly startTime: string;
  readonly user: string;
  readonly priority: number;
  readonly nice: number;
  readonly virtualBytes: number;
  readonly residentBytes: number;
  readonly sharedBytes: number;
  /** One letter, as in ps(1). */
  readonly state: string;
  /** User and system. */
  readonly cpuMs: number;
}

/** `null` when there is no such process, or no /proc. */
export function processDetail(pid: number): ProcessDetail | null {
  // The process ended meanwhile, or may not be looked at, or there is no /proc here.
  return attempt(() => {
    const field = statFields(readStatText(pid) ?? '');
    if (field === null) return null;
    const number = (fieldNumber: number): number => Number(field(fieldNumber));
    const bytes = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map((pages) => Number(pages) * kernelUnits().pageBytes);
    return {
      pid, parentPid: number(4), startTime: field(22), user: ownerName(pid), priority: number(18), nice: number(19),
      virtualBytes: bytes[0] ?? 0, residentBytes: bytes[1] ?? 0, sharedBytes: bytes[2] ?? 0, state: field(3), cpuMs: ticksToMs(number(14) + number(15)),
    };
  }, null);
}
