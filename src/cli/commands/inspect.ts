import type { InspectPayload } from '../../wire/payloads.ts';
import { refusals } from '../../errors.ts';
import { parseStreamDuration } from '../../words.ts';
import type { Call } from '../call.ts';
import { warnAboutOtherConfig } from '../config-choice.ts';
import { healthExitCode } from '../health-exit-code.ts';
import { askInspect, lastRun, lookAround, reportOf } from '../inspection.ts';
import { options } from '../options.ts';
import { inspectReport } from '../print/inspect.ts';
import { repeat } from '../repeat.ts';

/** Shows one unit. The exit code is its health, 2 for a unit that is not known. */
export async function inspect(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const name = flags.text(options.service);
  if (name === null) return terminal.refuse(refusals.usage('inspect needs a unit: sysg inspect -s NAME\ntry: sysg inspect --help'));
  const stream = flags.text(options.stream);
  const duration = stream === null ? null : parseStreamDuration(stream);
  if (duration?.ok === false) return terminal.refuse(refusals.runtime(duration.problem));
  warnAboutOtherConfig(call);
  const windowMs = duration?.ms ?? DEFAULT_WINDOW_MS;
  if (duration !== null) return repeat(call, duration.ms, () => look(call, name, windowMs));
  const shown = await look(call, name, windowMs);
  if (!shown.ok) return terminal.refuse(shown.refusal);
  for (const line of shown.lines) terminal.print(line);
  for (const line of shown.complaints) terminal.complain(line);
  return shown.exitCode;
}

const DEFAULT_WINDOW_MS = 5000;

type Shown = Awaited<ReturnType<Parameters<typeof repeat>[2]>>;

async function look(call: Call, name: string, windowMs: number): Promise<Shown> {
  const { flags, terminal } = call;
  const answer = await askInspect(call, name, windowMs);
  if (!answer.ok) return answer;
  const { unit, samples } = answer.payload;
  const complaints = unit === null ? [`sysg: Service '${name}' not found.`] : [];
  const exitCode = unit === null ? 2 : healthExitCode(unit.health);
  if (flags.has(options.json)) return { ok: true, lines: json(answer.payload), complaints, exitCode };
  if (unit === null) return { ok: true, lines: [], complaints, exitCode };
  const shown = flags.has(options.stream) ? null : lastRun(unit);
  const report = reportOf(unit, shown?.samples ?? samples, shown?.windowMs ?? windowMs, await lookAround(call, unit));
  const lines = inspectReport(report, {
    width: terminal.columns, color: terminal.color && !flags.has(options.noColor), glyphs: terminal.columns !== null,
  });
  return { ok: true, lines, complaints, exitCode };
}

function json(payload: InspectPayload): string[] {
  return JSON.stringify(payload, null, 2).split('\n');
}
