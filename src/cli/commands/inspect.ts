import { refusals } from '../../errors.ts';
import { lookOf, streamOf, type Call } from '../call.ts';
import { warnAboutOtherConfig } from '../config-choice.ts';
import { askInspect, makeReport } from '../inspection.ts';
import { options } from '../options.ts';
import { inspectReport } from '../print/inspect.ts';
import { healthExitCode, NOT_SUPERVISED } from '../print/unit.ts';
import { repeat } from '../repeat.ts';
import type { Shown } from '../screen/repeat-screen.ts';

/** Shows one unit. The exit code is its health, 2 for a unit that is not known, 3 when no supervisor runs. */
export async function inspect(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const name = flags.text(options.service);
  if (name === null) return terminal.refuse(refusals.usage('inspect needs a unit: sysg inspect -s NAME\ntry: sysg inspect --help'));
  const stream = streamOf(call);
  if (!stream.ok) return terminal.refuse(stream.refusal);
  warnAboutOtherConfig(call);
  if (stream.everyMs !== null) return repeat(call, stream.everyMs, () => look(call, name, stream.everyMs));
  const shown = await look(call, name, null);
  if (!shown.ok) return terminal.refuse(shown.refusal);
  for (const line of shown.lines) terminal.print(line);
  for (const line of shown.complaints) terminal.complain(line);
  return shown.exitCode;
}

const DEFAULT_WINDOW_MS = 5000;

async function look(call: Call, name: string, everyMs: number | null): Promise<Shown> {
  const windowMs = everyMs ?? DEFAULT_WINDOW_MS;
  const answer = await askInspect(call, name, windowMs);
  if (!answer.ok) return answer;
  const { payload: { unit, samples }, advice } = answer;
  const end = unit === null ? { complaints: [`sysg: Service '${name}' not found.`], exitCode: 2 }
    : { complaints: [], exitCode: advice === null ? healthExitCode(unit.health) : NOT_SUPERVISED };
  if (call.flags.has(options.json)) return { ok: true, lines: JSON.stringify({ ...answer.payload, supervised: advice === null }, null, 2).split('\n'), ...end };
  const first = advice === null ? [] : [advice, ''];
  if (unit === null) return { ok: true, lines: first, ...end };
  const report = await makeReport(call, unit, { samples, windowMs, ofLastRun: everyMs === null });
  return { ok: true, lines: [...first, ...inspectReport(report, lookOf(call))], ...end };
}
