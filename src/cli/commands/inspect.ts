import { didYouMean } from '../../words.ts';
import { lookOf, streamOf, type Call } from '../call.ts';
import { warnAboutOtherConfig } from '../config-choice.ts';
import { askInspect, makeReport } from '../inspection.ts';
import { askedWords, knownUnits, meansSeveral, namedUnits } from '../names.ts';
import { options } from '../options.ts';
import { inspectReport } from '../print/inspect.ts';
import { healthExitCode, NOT_SUPERVISED } from '../print/unit.ts';
import { sentenceLines } from '../../width.ts';
import { repeat } from '../repeat.ts';
import type { Shown } from '../screen/repeat-screen.ts';

/** Shows one unit. The exit code is its health, 2 for a unit that is not known, 3 when no supervisor runs. */
export async function inspect(call: Call): Promise<number> {
  const { terminal } = call;
  const stream = streamOf(call);
  if (!stream.ok) return terminal.refuse(stream.refusal);
  warnAboutOtherConfig(call);
  const named = await namedUnits(call);
  if (!named.ok) return terminal.refuse(named.refusal);
  const names = named.names ?? [];
  if (stream.everyMs !== null) return repeat(call, stream.everyMs, () => lookAtAll(call, names, stream.everyMs));
  const shown = await lookAtAll(call, names, null);
  if (!shown.ok) return terminal.refuse(shown.refusal);
  for (const line of shown.lines) terminal.print(line);
  for (const line of shown.complaints) terminal.complain(line);
  return shown.exitCode;
}

const DEFAULT_WINDOW_MS = 5000;

async function hint(call: Call, name: string): Promise<string> {
  const known = await knownUnits(call);
  return (known.ok ? didYouMean(name, known.units.map((unit) => unit.name)) : '') || '.';
}

/** Several units one below the other, with the worst of their exit codes; for programs as a list. */
async function lookAtAll(call: Call, names: readonly string[], everyMs: number | null): Promise<Shown> {
  const all: Extract<Shown, { ok: true }>[] = [];
  for (const name of names) {
    const shown = await look(call, name, everyMs);
    if (!shown.ok) return shown;
    all.push(shown);
  }
  const isList = call.flags.has(options.json) && meansSeveral(askedWords(call));
  const lines = isList ? ['[', ...all.flatMap((shown, index) => [...shown.lines.slice(0, -1), `${shown.lines.at(-1)}${index === all.length - 1 ? '' : ','}`]), ']']
    : all.flatMap((shown, index) => [...(index === 0 ? [] : ['']), ...shown.lines]);
  return { ok: true, lines, complaints: [...new Set(all.flatMap(({ complaints }) => complaints))], exitCode: Math.max(...all.map(({ exitCode }) => exitCode)) };
}

async function look(call: Call, name: string, everyMs: number | null): Promise<Shown> {
  const windowMs = everyMs ?? DEFAULT_WINDOW_MS;
  const answer = await askInspect(call, name, windowMs);
  if (!answer.ok) return answer;
  const { payload: { unit, samples }, advice, problem } = answer;
  const end = problem !== undefined ? { complaints: [`sysg: ${problem}`], exitCode: NOT_SUPERVISED }
    : unit === null ? { complaints: [`sysg: Service '${name}' not found${await hint(call, name)}`], exitCode: 2 }
    : { complaints: [], exitCode: advice === null ? healthExitCode(unit.health) : NOT_SUPERVISED };
  if (call.flags.has(options.json)) return { ok: true, lines: JSON.stringify({ ...answer.payload, supervised: advice === null }, null, 2).split('\n'), ...end };
  const first = advice === null ? [] : [...sentenceLines(advice, call.terminal.columns), ...(problem === undefined ? [''] : [])];
  if (unit === null) return { ok: true, lines: first, ...end };
  const report = await makeReport(call, unit, { samples, windowMs, ofLastRun: everyMs === null });
  return { ok: true, lines: [...first, ...inspectReport(report, lookOf(call))], ...end };
}
