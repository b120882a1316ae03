import type { CronExecutionSummary, JournalRecord, MetricSample, UnitStatus } from '../../wire/payloads.ts';
import type { ProcessDetail } from '../../status/process-facts.ts';
import { exitText } from '../../signals.ts';
import { alsoIn, bytes, localTime, span, spanSince, twoDigits } from '../../words.ts';
import type { Host } from '../host.ts';
import { charts } from './charts.ts';
import { palette, type Look, type Palette } from './palette.ts';
import { transitions } from './records.ts';
import { rolloutDetail } from './rollout.ts';
import { table, type Column } from './table.ts';
import { branches, glyphOf, programName, stateOf, type Branch } from './unit.ts';
import { newestRun } from './newest-run.ts';
import displayWidth, { broken, printable } from '../../width.ts';

/** A process of the unit with its place in the tree. */
export interface ShownProcess {
  readonly detail: ProcessDetail;
  readonly command: string;
  readonly prefix: string;
  /** Percent of one core, over the time of the report. */
  readonly cpuPercent: number;
}

export interface Report {
  readonly unit: UnitStatus;
  /** Of the window, oldest first. */
  readonly samples: readonly MetricSample[];
  readonly windowSeconds: number;
  readonly nowMs: number;
  /** Null: the machine does not say. */
  readonly host: Host | null;
  readonly processes: readonly ShownProcess[];
  /** Newest last. */
  readonly transitions: readonly JournalRecord[];
}

/** Everything about one unit, in sections. */
export function inspectReport(report: Report, look: Look): string[] {
  const paints = palette(look.color);
  const { unit } = report;
  const sections: (readonly [title: string, lines: readonly string[]])[] = [['Overview', overview(report, look, paints)]];
  if (report.transitions.length > 0) sections.push([`Last Transitions (${report.transitions.length})`, transitions(report.transitions, report.nowMs, look.width, paints)]);
  const children = branches(unit.spawned_children);
  if (children.length > 0) sections.push([`Process Tree (${children.length} total)`, processTree(children, report.nowMs)]);
  sections.push(['Resource Metrics', resources(unit, report.samples.at(-1))]);
  if (report.host !== null) sections.push(['System Resources', system(report.host, look, paints)]);
  sections.push(['Time Series Charts', timeSeries(report, look, paints)]);
  if (unit.kind === 'cron') {
    const runs = unit.cron?.recent_runs ?? [];
    if (runs.length > 0) sections.push(['Cron Run History (last 10)', table(RUN_COLUMNS, runs.slice(0, 10), look.width, { below: paints.faint })]);
  } else {
    sections.push(['Process Details Table', details(report, look, paints)]);
  }
  return sections.flatMap(([title, lines], index) => [...(index === 0 ? [] : ['']), heading(title, look, paints), ...lines]);
}

function heading(title: string, { width }: Look, paints: Palette): string {
  const rule = '─'.repeat(Math.max(0, Math.min(width ?? 80, 120) - displayWidth(title) - 4));
  return `${paints.faint('──')} ${paints.heading(title)} ${paints.faint(rule)}`;
}

function overview({ unit, nowMs }: Report, look: Look, paints: Palette): string[] {
  const state = stateOf(unit);
  const mark = look.glyphs ? `${glyphOf(state)} ` : '';
  // The schedule may have been suspended long after the last run ended.
  const since = unit.since === undefined || state === 'suspended' ? '' : ` for ${span((nowMs - Date.parse(unit.since)) / 1000)}`;
  const next = unit.next_at === undefined ? null : `${state === 'backoff' ? 'try' : 'run'} ${localTime(unit.next_at)} (in ${span((Date.parse(unit.next_at) - nowMs) / 1000)})${alsoIn(unit.cron?.timezone, unit.next_at)}`;
  const waits = (unit.waits_for ?? []).map(({ unit: name, lost }) => `${printable(name)}${lost === undefined ? '' : ` (${printable(lost)})`}`).join(', ');
  const process = unit.process === undefined ? '-' : [String(unit.process.pid), unit.process.user === undefined || unit.process.user === '' ? '' : `user ${printable(unit.process.user)}`].filter((part) => part !== '').join(', ');
  const rows: (readonly [label: string, text: string | null, paint?: (text: string) => string])[] = [
    ['Unit', printable(unit.name), paints.title],
    ['Kind', unit.ad_hoc === true ? `${unit.kind}, ad-hoc: started from the command line, in no configuration` : unit.kind],
    ['State', `${mark}${state}${since}`, paints.state(state)],
    ['Rollout', unit.rollout === undefined ? null : rolloutDetail(unit.rollout), paints.state('starting')],
    ['Waits for', waits === '' ? null : waits],
    ['Health', unit.health, paints.health(unit.health)],
    ['Wanted', unit.wanted ?? null],
    ['Ready', unit.ready === undefined ? null : unit.ready ? 'yes' : 'no'],
    ['PID', process],
    ['Uptime', unit.uptime === undefined ? '-' : `${span(unit.uptime.seconds)}${unit.uptime.seconds < 60 ? '' : ` (${unit.uptime.seconds}s)`}`],
    ['Restarts', unit.restarts === undefined ? null : `${unit.restarts}${unit.generation === undefined ? '' : ` (process number ${unit.generation})`}`],
    ['Last exit', exitText(unit.last_exit)],
    ['Next', next],
    ['Zone', unit.cron?.timezone_label ?? null],
    ['Command', printable(unit.command ?? '-')],
    ['Runtime', unit.runtime_command === undefined ? null : printable(unit.runtime_command)],
    ['Hash', unit.hash],
  ];
  return rows.flatMap(([label, text, paint]) => (text === null ? [] : labelled(label, text, look.width, paints, paint)));
}

function labelled(label: string, text: string, width: number | null, paints: Palette, paint: (text: string) => string = String): string[] {
  const lines = width === null ? [text] : broken(text, Math.max(10, width - LABEL_WIDTH));
  return lines.map((line, index) => `${index === 0 ? paints.faint(label.padEnd(LABEL_WIDTH)) : ' '.repeat(LABEL_WIDTH)}${paint(line)}`);
}

const LABEL_WIDTH = 11;

function processTree(processes: readonly Branch[], nowMs: number): string[] {
  return processes.map(({ child, prefix }) => {
    const up = spanSince(child.started_at, nowMs);
    const facts = [
      `PID: ${child.pid}`, child.last_exit === undefined ? `Up: ${up}` : `Exited: ${exitText(child.last_exit)}`, `depth: ${child.depth}`,
      ...(child.ttl === undefined ? [] : [`ttl: ${span(child.ttl.secs)}`]),
    ];
    return `${prefix}${printable(child.name)} [${facts.join(', ')}]`;
  });
}

function resources({ metrics, kind, process }: UnitStatus, latest: MetricSample | undefined): string[] {
  if (metrics === undefined) {
    if (kind === 'cron') return ['Awaiting next cron execution'];
    return [process === undefined ? 'Not available (service not running)' : 'Collector initializing (may take a few seconds)'];
  }
  const line = (label: string, cpu: number, rss: number | undefined): string =>
    `${label}: ${cpu.toFixed(2)}% CPU${rss === undefined ? '' : ` | ${bytes(rss)} RSS`}`;
  return [
    line('Latest', metrics.latest_cpu_percent, metrics.latest_rss_bytes),
    line('Average', metrics.average_cpu_percent, metrics.average_rss_bytes),
    line('Maximum', metrics.max_cpu_percent, metrics.max_rss_bytes),
    ...(latest === undefined || kind === 'cron' ? [] : [`Disk: ${bytes(latest.io_read_bytes)} read | ${bytes(latest.io_write_bytes)} written`]),
    `Samples: ${metrics.samples}`,
  ];
}

function system(host: Host, look: Look, paints: Palette): string[] {
  const bar = (percent: number): string => {
    const filled = Math.min(BAR, Math.max(0, Math.round((percent / 100) * BAR)));
    return `[${paints.fullness(percent)('|'.repeat(filled))}${' '.repeat(BAR - filled)}]`;
  };
  const cpus = host.cpus.map((percent, index) => `${String(index).padStart(3)} ${bar(percent)} ${percent.toFixed(1).padStart(5)}%`);
  const memory = (label: string, { used, total: all }: Host['memory']): string =>
    `${label} ${bar(all === 0 ? 0 : (used / all) * 100)} ${(used / GIB).toFixed(2)}/${(all / GIB).toFixed(2)}G`;
  return [
    ...(host.system === '' ? [] : labelled('System', printable(host.system), look.width, paints)),
    ...labelled('Load', host.load.map((value) => value.toFixed(2)).join(' '), look.width, paints),
    ...inColumns(cpus, look.width),
    memory('Mem', host.memory),
    ...(host.swap.total > 0 ? [memory('Swp', host.swap)] : []),
  ];
}

const BAR = 40;
const GIB = 1024 ** 3;

/** Many processors go side by side where there is room. */
function inColumns(lines: readonly string[], width: number | null): string[] {
  const wide = Math.max(0, ...lines.map(displayWidth)) + 2;
  const count = lines.length <= 8 || width === null ? 1 : Math.max(1, Math.floor(width / wide));
  const height = Math.ceil(lines.length / count);
  return Array.from({ length: height }, (_, row) => Array.from({ length: count }, (__, column) => lines[column * height + row] ?? '').filter((line) => line !== '').join('  '));
}

function timeSeries({ unit, samples, windowSeconds }: Report, look: Look, paints: Palette): string[] {
  const lines = charts(samples, { columns: look.width ?? 120, window: windowSeconds, cpu: paints.cpu, memory: paints.memory });
  const run = unit.kind === 'cron' ? newestRun(unit.cron) : undefined;
  return run === undefined ? lines : [`Data from last run: ${localTime(run.started_at)}`, '', ...lines];
}

function details({ unit, processes, host }: Report, look: Look, paints: Palette): string[] {
  const root = unit.process?.pid;
  if (root === undefined) return ['Unit is not currently running'];
  if (processes.length === 0) return [`Root process no longer available: ${root}`];
  const columns: Column<ShownProcess>[] = [
    { title: 'PROC', align: 'left', least: 16, cell: ({ prefix, command }) => ({ text: prefix + programName(command) }) },
    { title: 'PID', align: 'right', cell: ({ detail }) => ({ text: String(detail.pid) }) },
    { title: 'PPID', align: 'right', spare: 4, cell: ({ detail }) => ({ text: String(detail.parentPid) }) },
    { title: 'USER', align: 'left', spare: 3, cell: ({ detail }) => ({ text: printable(detail.user) || '-' }) },
    { title: 'PRI', align: 'right', spare: 6, cell: ({ detail }) => ({ text: String(detail.priority) }) },
    { title: 'NI', align: 'right', spare: 5, cell: ({ detail }) => ({ text: String(detail.nice) }) },
    { title: 'VIRT', align: 'right', spare: 7, cell: ({ detail }) => ({ text: bytes(detail.virtualBytes) }) },
    { title: 'RES', align: 'right', cell: ({ detail }) => ({ text: bytes(detail.residentBytes) }) },
    { title: 'SHR', align: 'right', spare: 8, cell: ({ detail }) => ({ text: bytes(detail.sharedBytes) }) },
    { title: 'S', align: 'left', cell: ({ detail }) => ({ text: detail.state }) },
    { title: 'CPU%', align: 'right', cell: ({ cpuPercent }) => ({ text: cpuPercent.toFixed(1) }) },
    ...(host === null ? [] : [{
      title: 'MEM%', align: 'right' as const, spare: 2, cell: ({ detail }: ShownProcess) => ({ text: ((detail.residentBytes / host.memory.total) * 100).toFixed(1) }),
    }]),
    { title: 'TIME+', align: 'right', spare: 1, cell: ({ detail }) => ({ text: cpuTime(detail.cpuMs) }) },
    { title: 'CMD', align: 'left', least: 20, spare: 9, below: String, cell: ({ command }) => ({ text: printable(command), paint: paints.faint }) },
  ];
  return [`Process hierarchy (root PID ${root} with descendants)`, '', ...table(columns, processes, look.width, { below: paints.faint })];
}

/** `MM:SS.cc`. */
function cpuTime(ms: number): string {
  const hundredths = Math.floor(ms / 10);
  return `${twoDigits(Math.floor(hundredths / 6000))}:${twoDigits(Math.floor(hundredths / 100) % 60)}.${twoDigits(hundredths % 100)}`;
}

const RUN_COLUMNS: readonly Column<CronExecutionSummary>[] = [
  { title: 'TIME', align: 'left', cell: (run) => ({ text: localTime(run.started_at) }) },
  { title: 'RESULT', align: 'left', cell: (run) => ({ text: runResult(run) }) },
  { title: 'USER', align: 'left', spare: 1, cell: (run) => ({ text: printable(run.user ?? '') || '-' }) },
  { title: 'PID', align: 'right', spare: 2, cell: (run) => ({ text: run.pid === undefined ? '-' : String(run.pid) }) },
  { title: 'CMD', align: 'left', least: 12, spare: 3, cell: (run) => ({ text: printable(run.command ?? '-') }) },
];

function runResult({ status, exit_code: code }: CronExecutionSummary): string {
  if (status === undefined) return 'running';
  if (status === 'Success') return 'ok';
  if (status === 'OverlapError') return 'overlap';
  return code === undefined ? printable(status.Failed) : `exit ${code}`;
}
