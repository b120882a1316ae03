import { setTimeout as pause } from 'node:timers/promises';
import type { InspectPayload, JournalRecord, MetricSample, SpawnedProcessNode, UnitStatus } from '../wire/payloads.ts';
import { refusals, type Refusal } from '../errors.ts';
import { processDetail, type ProcessDetail } from '../status/process-details.ts';
import { ask } from './ask.ts';
import { readRecords } from './commands/events.ts';
import type { Call } from './call.ts';
import type { Host } from './host.ts';
import { inWindow } from './print/charts.ts';
import type { Report, ShownProcess } from './print/inspect.ts';

export type InspectAnswer = { readonly ok: true; readonly payload: InspectPayload } | { readonly ok: false; readonly refusal: Refusal };

/** The unit and its samples of the last `windowMs`; of a cron unit those of its newest run. */
export async function askInspect(call: Call, unit: string, windowMs: number): Promise<InspectAnswer> {
  const seconds = windowMs / 1000;
  const limit = seconds < 3600 ? Math.max(2, Math.ceil(seconds)) : 720;
  // Samples may be more than a second apart: what is too old is left out here.
  const answer = await ask(call, { kind: 'inspect', unit, samples: limit });
  if (!answer.ok) return answer.refusal.code === 'no-supervisor' ? inspectAtRest(call, unit) : answer;
  const { response } = answer;
  if (response.kind !== 'inspect') return { ok: false, refusal: refusals.socket(`expected an inspection, the supervisor answered with ${response.kind}`) };
  const { payload } = response;
  return { ok: true, payload: { unit: payload.unit, samples: inWindow(samplesOf(payload), windowMs, limit, Date.now()) } };
}

/** What the files tell when there is no supervisor; nobody has measured anything then. */
async function inspectAtRest(call: Call, asked: string): Promise<InspectAnswer> {
  const { statusAtRest } = await import('./offline.ts');
  const answer = statusAtRest(call);
  if (!answer.ok) return answer;
  const { units } = answer.snapshot;
  return { ok: true, payload: { unit: units.find(({ name }) => name === asked) ?? units.find(({ hash }) => hash === asked) ?? null, samples: [] } };
}

export interface Extras {
  readonly host: Host | null;
  /** Of the unit, newest last. */
  readonly transitions: readonly JournalRecord[];
  readonly processes: readonly ShownProcess[];
}

/** What the report shows beside the supervisor's answer. Takes about a third of a second: processors are measured over a while. */
export async function lookAround(call: Call, unit: UnitStatus): Promise<Extras> {
  const rows = processRows(unit);
  const before = rows.map(({ pid }) => processDetail(pid));
  const startedMs = performance.now();
  const [host, records] = await Promise.all([hostNow(), readRecords(call, unit.name, TRANSITIONS), pause(SPAN_MS)]);
  const elapsedMs = performance.now() - startedMs;
  const processes = rows.flatMap(({ pid, command, prefix }, index): ShownProcess[] => {
    const detail = processDetail(pid);
    if (detail === null) return [];
    return [{ detail, command, prefix, cpuPercent: cpuPercent(before[index] ?? null, detail, elapsedMs) }];
  });
  // A supervisor of systemg 0.33.0 keeps no journal.
  return { host, processes, transitions: records.ok ? records.records : [] };
}

/** Of a cron unit, what was measured in its newest run and how long that took: a window that ends now would miss it nearly always. */
export function lastRun({ kind, cron }: UnitStatus): { readonly samples: readonly MetricSample[]; readonly windowMs: number } | null {
  const run = kind === 'cron' ? cron?.last_run : undefined;
  if (run?.metrics === undefined) return null;
  const endMs = run.completed_at === undefined ? Date.now() : Date.parse(run.completed_at);
  return { samples: run.metrics, windowMs: endMs - Date.parse(run.started_at) };
}

export function reportOf(unit: UnitStatus, samples: readonly MetricSample[], windowMs: number, extras: Extras): Report {
  return { unit, samples, windowSeconds: Math.max(1, Math.round(windowMs / 1000)), nowMs: Date.now(), ...extras };
}

const SPAN_MS = 200;
/** So many of the last ones are shown. */
const TRANSITIONS = 10;

function samplesOf({ unit, samples }: InspectPayload): readonly MetricSample[] {
  return unit?.kind === 'cron' ? (unit.cron?.last_run?.metrics ?? samples) : samples;
}

async function hostNow(): Promise<Host | null> {
  try {
    const { readHost } = await import('./host.ts');
    return await readHost(true);
  } catch {
    // The machine does not tell, in some sandbox or other: the report goes without.
    return null;
  }
}

interface ProcessRow {
  readonly pid: number;
  readonly command: string;
  readonly prefix: string;
}

function processRows(unit: UnitStatus): ProcessRow[] {
  if (unit.process === undefined) return [];
  return [{ pid: unit.process.pid, command: unit.runtime_command ?? unit.command ?? '', prefix: '' }, ...childRows(unit.spawned_children ?? [], '')];
}

function childRows(nodes: readonly SpawnedProcessNode[], indent: string): ProcessRow[] {
  return nodes.flatMap(({ child, children }, index) => {
    const isLast = index === nodes.length - 1;
    return [
      // The pid of one that has ended may be another's by now.
      ...(child.last_exit === undefined ? [{ pid: child.pid, command: child.command || child.name, prefix: `${indent}${isLast ? '└─ ' : '├─ '}` }] : []),
      ...childRows(children ?? [], `${indent}${isLast ? '   ' : '│  '}`),
    ];
  });
}

function cpuPercent(before: ProcessDetail | null, now: ProcessDetail, elapsedMs: number): number {
  return before === null || before.startTime !== now.startTime || elapsedMs <= 0 ? 0 : ((now.cpuMs - before.cpuMs) / elapsedMs) * 100;
}
