import { overallHealth } from '../../status/snapshot.ts';
import type { Result } from '../../errors.ts';
import type { StatusSnapshot } from '../../wire/payloads.ts';
import { askStatus, statusOrRest, withUnread, type StatusAnswer } from '../ask.ts';
import { lookOf, streamOf, type Call } from '../call.ts';
import { warnAboutOtherConfig } from '../config-choice.ts';
import { askedWords, matchEach } from '../names.ts';
import { options } from '../options.ts';
import { statusTable, unwrittenLines } from '../print/status.ts';
import { healthExitCode, NOT_SUPERVISED } from '../print/unit.ts';
import { sentenceLines } from '../../width.ts';

/** Shows the units. The exit code is their health: 0 healthy, 1 degraded or none, 2 failing; 3 when no supervisor runs. */
export async function status(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const stream = streamOf(call);
  if (!stream.ok) return terminal.refuse(stream.refusal);
  warnAboutOtherConfig(call);
  if (stream.everyMs !== null) {
    const { repeat } = await import('../repeat.ts');
    return repeat(call, stream.everyMs, async () => {
      const answer = await askUnits(call);
      return answer.ok ? { ok: true, lines: linesOf(call, answer), complaints: complaintsOf(answer), exitCode: exitCode(answer) } : answer;
    });
  }
  if (terminal.isInteractive === true && !flags.has(options.json)) {
    // Without a supervisor nothing changes by itself: what is in the files is printed once.
    const askLive = async (): Promise<ReturnType<typeof narrowed>> => narrowed(call, await askStatus(call));
    const live = await askLive();
    if (live.ok && live.snapshot.units.length > 0) {
      const { statusScreen } = await import('../screen/status-screen.ts');
      return statusScreen(call, { first: live.snapshot, color: lookOf(call).color, fullCommands: flags.has(options.fullCommand), refresh: askLive });
    }
  }
  const answer = await askUnits(call);
  if (!answer.ok) return terminal.refuse(answer.refusal);
  terminal.print(linesOf(call, answer).join('\n'));
  for (const line of complaintsOf(answer)) terminal.complain(line);
  return exitCode(answer);
}

/** `missing`: why units that were asked for are not shown. `alone`: no supervisor runs; what to do about it, and why its units are not known where they are not. */
type Seen = Result<{
  readonly snapshot: StatusSnapshot;
  readonly missing: readonly string[];
  readonly alone: { readonly advice: string; readonly problem: string | null } | null;
}>;

async function askUnits(call: Call): Promise<Seen> {
  const status = await statusOrRest(call);
  const { advice } = status;
  const answer = narrowed(call, status);
  if (advice === null) return answer.ok ? { ...answer, missing: await Promise.all(answer.missing.map((text) => withUnread(call, text))), alone: null } : answer;
  if (answer.ok) {
    // Whatever lives is left to itself.
    const health = answer.snapshot.overall_health === 'failing' ? 'failing' : 'degraded';
    return { ...answer, snapshot: { ...answer.snapshot, overall_health: health }, alone: { advice, problem: null } };
  }
  if (answer.refusal.code !== 'config') return answer;
  const nothing: StatusSnapshot = { schema_version: 'status.v1', captured_at: new Date().toISOString(), overall_health: 'degraded', units: [] };
  return { ok: true, snapshot: nothing, missing: [], alone: { advice, problem: answer.refusal.message } };
}

function linesOf(call: Call, { snapshot, alone }: Extract<Seen, { ok: true }>): readonly string[] {
  if (call.flags.has(options.json)) return [JSON.stringify({ ...snapshot, supervised: alone === null }, null, 2)];
  const advice = alone === null ? [] : sentenceLines(alone.advice, call.terminal.columns);
  if (alone?.problem != null) return advice;
  const lines = snapshot.units.length === 0 ? ['No matching units found.']
    : statusTable(snapshot, { ...lookOf(call), fullCommands: call.flags.has(options.fullCommand) });
  return alone === null ? [...lines, ...unwrittenLines(snapshot)] : [...advice, '', ...lines];
}

function complaintsOf({ alone, missing }: Extract<Seen, { ok: true }>): readonly string[] {
  return [...(alone?.problem == null ? [] : [alone.problem]), ...missing].map((text) => `sysg: ${text}`);
}

/** By name, pattern or hash; orphans only when asked for. The health is that of what is shown. */
function narrowed(call: Call, answer: StatusAnswer): Result<Pick<Extract<Seen, { ok: true }>, 'snapshot' | 'missing'>> {
  if (!answer.ok) return answer;
  const { snapshot } = answer;
  const words = askedWords(call);
  const present = snapshot.units.filter(({ kind }) => kind !== 'orphaned' || call.flags.has(options.all));
  const { names, missing } = matchEach(words, present);
  const units = words.length === 0 ? present : present.filter(({ name }) => names.includes(name));
  return { ok: true, snapshot: { ...snapshot, overall_health: overallHealth(units), units }, missing };
}

function exitCode({ snapshot: { units, overall_health: health }, missing, alone }: Extract<Seen, { ok: true }>): number {
  if (alone !== null) return NOT_SUPERVISED;
  return Math.max(units.length === 0 || missing.length > 0 ? 1 : 0, healthExitCode(health));
}
