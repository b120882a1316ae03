import { setTimeout as pause } from 'node:timers/promises';
import type { Result } from '../errors.ts';
import { processDetail, type ProcessDetail } from '../status/process-facts.ts';
import type { InspectPayload, MetricSample, UnitStatus } from '../wire/payloads.ts';
import { askFor, askRecords, askStatus, statusOrRest } from './ask.ts';
import type { Call } from './call.ts';
import type { Host } from './host.ts';
import { options } from './options.ts';
import { inWindow } from './print/charts.ts';
import type { Report, ShownProcess } from './print/inspect.ts';
import { foldRollouts } from './print/rollout.ts';
import { branches, unitNamed } from './print/unit.ts';
import { newestRun } from './print/newest-run.ts';

/** `advice`: no supervisor runs, and what to do about it; null where one answered. `problem`: nor is there a configuration that says what there is. */
export type Inspected = Result<{ readonly payload: InspectPayload; readonly advice: string | null; readonly problem?: string }>;

/** The unit and its samples of the last `windowMs`; of a cron unit those of its newest run. */
export async function askInspect(call: Call, unit: string, windowMs: number): Promise<Inspected> {
  const seconds = windowMs / 1000;
  const limit = seconds < 3600 ? Math.max(2, Math.ceil(seconds)) : 720;
  const answer = await askFor(call, { kind: 'inspect', unit, samples: limit }, 'inspect');
  if (!answer.ok) return answer.refusal.code === 'no-supervisor' ? inspectAtRest(call, unit, windowMs) : answer;
  const { payload } = answer.response;
  const inFull = payload.unit !== null && call.flags.has(options.showSecrets) ? await askStatus(call) : null;
  if (inFull?.ok === false) return inFull;
  const measured = (payload.unit?.kind === 'cron' ? newestRun(payload.unit.cron)?.metrics : undefined) ?? payload.samples;
  // Samples may be more than a second apart: what is too old is left out here.
  return { ok: true, payload: { unit: inFull?.snapshot.units.find(({ hash }) => hash === payload.unit?.hash) ?? payload.unit, samples: inWindow(measured, windowMs, limit, Date.now()) }, advice: null };
}

/** What the files say when there is no supervisor; nothing was measured then. */
async function inspectAtRest(call: Call, asked: string, windowMs: number): Promise<Inspected> {
  const answer = await statusOrRest(call);
  const { advice } = answer;
  if (answer.ok) return advice === null ? askInspect(call, asked, windowMs) : { ok: true, payload: { unit: unitNamed(answer.snapshot.units, asked) ?? null, samples: [] }, advice };
  return advice !== null && answer.refusal.code === 'config' ? { ok: true, payload: { unit: null, samples: [] }, advice, problem: answer.refusal.message } : answer;
}

/**
 * The report of a unit. `samples` are those of the last `windowMs`; with `ofLastRun` those of a cron unit's newest run come in their place. Takes about a
 * third of a second: processors are measured over a while.
 */
export async function makeReport(
  call: Call, unit: UnitStatus, given: { readonly samples: readonly MetricSample[]; readonly windowMs: number; readonly ofLastRun: boolean },
): Promise<Report> {
  const { samples, windowMs } = (given.ofLastRun ? lastRun(unit) : null) ?? given;
  // Pids of another machine are others here.
  const rows = call.host === null ? processRows(unit) : [];
  const before = rows.map(({ pid }) => processDetail(pid));
  const startedMs = performance.now();
  const [host, records] = await Promise.all([call.host === null ? hostNow() : null, askRecords(call, unit.name, ASKED_RECORDS), pause(SPAN_MS)]);
  const elapsedMs = performance.now() - startedMs;
  const processes = rows.flatMap(({ pid, command, prefix }, index): ShownProcess[] => {
    const detail = processDetail(pid);
    return detail === null ? [] : [{ detail, command, prefix, cpuPercent: cpuPercent(before[index] ?? null, detail, elapsedMs) }];
  });
  return {
    unit, samples, windowSeconds: Math.max(1, Math.round(windowMs / 1000)), nowMs: Date.now(), host, processes,
    // A supervisor of systemg 0.33.0 keeps no journal.
    transitions: records.ok ? foldRollouts(records.records).slice(-TRANSITIONS) : [],
  };
}

/** Of a cron unit, what was measured in its newest run and how long that took: a window that ends now would miss it nearly always. */
export function lastRun({ kind, cron }: UnitStatus): { readonly samples: readonly MetricSample[]; readonly windowMs: number } | null {
  const run = kind === 'cron' ? newestRun(cron) : undefined;
  if (run?.metrics === undefined) return null;
  const endMs = run.completed_at === undefined ? Date.now() : Date.parse(run.completed_at);
  return { samples: run.metrics, windowMs: endMs - Date.parse(run.started_at) };
}

const SPAN_MS = 200;
/** How many of the last transitions are shown. */
const TRANSITIONS = 10;
/** Those of one rollout are shown as one. */
const ASKED_RECORDS = 100;

async function hostNow(): Promise<Host | null> {
  try {
    const { readHost } = await import('./host.ts');
    return await readHost();
  } catch {
    // Some sandboxes hide what the machine is: the report does without.
    return null;
  }
}

interface ProcessRow { readonly pid: number; readonly command: string; readonly prefix: string }

function processRows({ process, runtime_command: running, command = '', spawned_children: nodes }: UnitStatus): ProcessRow[] {
  if (process === undefined) return [];
  // The pid of a child that has ended may be another process's by now.
  const children = branches(nodes).filter(({ child }) => child.last_exit === undefined);
  return [
    { pid: process.pid, command: running ?? command, prefix: '' },
    ...children.map(({ child, prefix }) => ({ pid: child.pid, command: child.command || child.name, prefix })),
  ];
}

function cpuPercent(before: ProcessDetail | null, now: ProcessDetail, elapsedMs: number): number {
  return before === null || before.startTime !== now.startTime || elapsedMs <= 0 ? 0 : ((now.cpuMs - before.cpuMs) / elapsedMs) * 100;
}
