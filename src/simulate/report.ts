import type { Phase } from '../../machines/types.ts';
import displayWidth, { padded } from '../width.ts';
import { fineSpan, twoDigits } from '../words.ts';
import type { Simulation, Step } from './simulate.ts';

/** How words are made to stand out; plain for files and pipes. */
export interface ReportLook {
  strong(text: string): string;
  faint(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

/** A timeline of more lines than this is shortened to its first and last ones. */
const LONGEST_TIMELINE = 60;
const SHOWN = { first: 25, last: 10 } as const;

/** A simulation for people: what happened, what became of each unit, and what to think about. `whole`: every line of the timeline. */
export function simulationReport(simulation: Simulation, { look, whole }: { readonly look: ReportLook; readonly whole: boolean }): readonly string[] {
  const { warnings } = simulation;
  return [
    ...timeline(simulation, look, whole), '', headline(simulation, look), '', ...unitTable(simulation, look),
    ...(warnings.length > 0 ? ['', look.strong('Worth a thought'), ...warnings.map((warning) => `  ${look.bad('!')} ${warning}`)] : []),
  ];
}

/** `--json`: journal records, outcomes by unit, warnings. */
export function simulationJson({ records, units, warnings, lastedMs, endedBy, exitCode }: Simulation): string {
  return JSON.stringify({
    events: records,
    units: Object.fromEntries([...units].map(([name, unit]) => [name, {
      restarts: unit.restarts, downtime_ms: Math.round(unit.downtimeMs), phase: unit.phase, starts: unit.starts, longest_downtime_ms: Math.round(unit.longestDownMs),
      ...(unit.reason !== null && { reason: unit.reason }),
    }])),
    warnings, lasted_ms: Math.round(lastedMs), ended_by: endedBy, ...(exitCode !== null && { exit_code: exitCode }),
  });
}

function timeline({ steps, lastedMs }: Simulation, look: ReportLook, whole: boolean): readonly string[] {
  if (steps.length === 0) return [look.faint('Nothing happened.')];
  const nameWidth = Math.max(...steps.map(({ unit }) => displayWidth(unit)));
  const long = lastedMs >= 3_600_000;
  const line = (step: Step): string => {
    const detail = detailOf(step);
    return `${look.faint(offset(step.atMs, long))}  ${padded(step.unit, nameWidth)}  ${`${step.from} → `.padStart(11)}${toned(step.to, step.to, look)}${detail === '' ? '' : `${' '.repeat(Math.max(1, 10 - step.to.length))}${look.faint(detail)}`}`;
  };
  if (whole || steps.length <= LONGEST_TIMELINE) return steps.map(line);
  const left = steps.length - SHOWN.first - SHOWN.last;
  return [
    ...steps.slice(0, SHOWN.first).map(line), look.faint(`… ${left.toLocaleString('en')} more changes; --full shows them all …`),
    ...steps.slice(-SHOWN.last).map(line),
  ];
}

function detailOf({ facts, to }: Step): string {
  const { exit, reason, deadline, trigger, at } = facts;
  const why = trigger.kind === 'command' ? `by command: ${trigger.by ?? ''}` : trigger.kind === 'dependency' ? `for ${trigger.by ?? 'a dependency'}` : trigger.kind === 'schedule' ? 'due' : '';
  if (to === 'backoff') return `${reason ?? ended(exit)}; next try in ${fineSpan((deadline?.at ?? at) - at)}`;
  if (to === 'failed') return reason ?? ended(exit);
  // Of a cron unit: how its run ended.
  if (to === 'waiting') return ended(facts.ended);
  if (to === 'stopped') return facts.outcome === 'completed' || facts.outcome === 'skipped' ? facts.outcome : why;
  if (to === 'stopping') return facts.state === 'clearing' ? ended(facts.ended) : (facts.cause !== null && facts.cause !== 'command' && why === '' ? `because ${facts.cause}` : why);
  return why;
}

function ended(exit: Step['facts']['exit']): string {
  if (exit === null) return '';
  return exit.signal === null ? `exited with status ${exit.code}` : `ended by ${exit.signal}`;
}

function headline({ endedBy, lastedMs, exitCode, units, steps }: Simulation, look: ReportLook): string {
  const all = [...units.values()];
  const troubled = all.filter(({ phase, wanted, reason }) => phase === 'failed' || phase === 'backoff' || (wanted === 'up' && reason === 'not ready'));
  const ending = {
    quiet: `after ${fineSpan(lastedMs)} nothing more would happen`, time: `after ${fineSpan(lastedMs)}`,
    supervisor: `the supervisor ends after ${fineSpan(lastedMs)} with exit code ${exitCode ?? 0}`, storm: `given up after ${fineSpan(lastedMs)}`,
  }[endedBy];
  const verdict = troubled.length === 0 ? look.good('all units are where they should be') : look.bad(`${troubled.length} of ${all.length} units ${troubled.length === 1 ? 'is' : 'are'} in trouble`);
  return `${look.strong(`${count(steps.length, 'change')}; ${ending}`)}: ${verdict}`;
}

function unitTable({ units, lastedMs }: Simulation, look: ReportLook): readonly string[] {
  const rows = [...units].map(([name, unit]) => ({
    name, phase: unit.phase, times: unit.kind === 'cron' ? count(unit.starts, 'run') : count(unit.restarts, 'restart'),
    down: unit.downtimeMs === 0 ? 'never down' : `down ${fineSpan(unit.downtimeMs)} (${share(unit.downtimeMs, lastedMs)})`, reason: unit.reason ?? '',
  }));
  const width = (key: 'name' | 'phase' | 'times' | 'down'): number => Math.max(0, ...rows.map((row) => displayWidth(row[key])));
  const [nameWidth, phaseWidth, timesWidth, downWidth] = [width('name'), width('phase'), width('times'), width('down')];
  return rows.map(({ name, phase, times, down, reason }) => [
    '', padded(name, nameWidth), toned(phase, phase.padEnd(phaseWidth), look), times.padStart(timesWidth), down.padEnd(downWidth), look.faint(reason),
  ].join('  ').trimEnd());
}

/** A text about a phase, coloured by it. */
function toned(phase: Phase, text: string, look: ReportLook): string {
  return phase === 'failed' || phase === 'backoff' ? look.bad(text) : phase === 'running' ? look.good(text) : text;
}

/** `00:03.050`, or with hours `1:00:03.050`. */
function offset(ms: number, withHours: boolean): string {
  const total = Math.round(ms);
  const clock = `${twoDigits(Math.floor(total / 60_000) % 60)}:${twoDigits(Math.floor(total / 1000) % 60)}.${String(total % 1000).padStart(3, '0')}`;
  return withHours ? `${String(Math.floor(total / 3_600_000)).padStart(2)}:${clock}` : clock;
}

function share(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (100 * part) / whole;
  return percent > 0 && percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(1)} %`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
