import type { StatusSnapshot } from '../../wire/payloads.ts';
import { refusals } from '../../errors.ts';
import { overallHealth } from '../../status/snapshot.ts';
import { parseStreamDuration } from '../../words.ts';
import { askStatus, type StatusAnswer } from '../ask.ts';
import type { Call } from '../call.ts';
import { warnAboutOtherConfig } from '../config-choice.ts';
import { healthExitCode } from '../health-exit-code.ts';
import { options } from '../options.ts';
import { statusTable } from '../print/status.ts';

/** Shows the units. The exit code is their health: 0 healthy, 1 degraded or none, 2 failing. */
export async function status(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const stream = flags.text(options.stream);
  const duration = stream === null ? null : parseStreamDuration(stream);
  if (duration?.ok === false) return terminal.refuse(refusals.runtime(duration.problem));
  warnAboutOtherConfig(call);
  if (duration !== null) {
    const { repeat } = await import('../repeat.ts');
    return repeat(call, duration.ms, async () => {
      const answer = await askUnits(call);
      return answer.ok ? { ok: true, lines: linesOf(call, answer.snapshot), complaints: [], exitCode: exitCode(answer.snapshot) } : answer;
    });
  }
  if (terminal.isInteractive === true && !flags.has(options.json)) {
    // Without a supervisor nothing changes by itself: what is in the files is printed once.
    const live = await askLiveUnits(call);
    if (live.ok && live.snapshot.units.length > 0) {
      const { statusScreen } = await import('../screen/status-screen.ts');
      const fullCommands = flags.has(options.fullCommand);
      return statusScreen(call, { first: live.snapshot, color: isColoured(call), fullCommands, refresh: () => askLiveUnits(call) });
    }
  }
  const answer = await askUnits(call);
  if (!answer.ok) return terminal.refuse(answer.refusal);
  const { snapshot } = answer;
  terminal.print(linesOf(call, snapshot).join('\n'));
  return exitCode(snapshot);
}

async function askUnits(call: Call): Promise<StatusAnswer> {
  const answer = await askLiveUnits(call);
  if (answer.ok || answer.refusal.code !== 'no-supervisor') return answer;
  return narrowedAnswer(call, (await import('../offline.ts')).statusAtRest(call));
}

async function askLiveUnits(call: Call): Promise<StatusAnswer> {
  return narrowedAnswer(call, await askStatus(call));
}

function narrowedAnswer({ flags }: Call, answer: StatusAnswer): StatusAnswer {
  return answer.ok ? { ok: true, snapshot: narrowed(answer.snapshot, flags.text(options.service), flags.has(options.all)) } : answer;
}

function linesOf(call: Call, snapshot: StatusSnapshot): readonly string[] {
  const { flags, terminal } = call;
  if (flags.has(options.json)) return [JSON.stringify(snapshot, null, 2)];
  if (snapshot.units.length === 0) return ['No matching units found.'];
  return statusTable(snapshot, {
    width: terminal.columns, color: isColoured(call), glyphs: terminal.columns !== null, fullCommands: flags.has(options.fullCommand),
  });
}

function isColoured({ terminal, flags }: Call): boolean {
  return terminal.color && !flags.has(options.noColor);
}

/** By name or hash; orphans only when asked for. The health is that of what is shown. */
function narrowed(snapshot: StatusSnapshot, service: string | null, all: boolean): StatusSnapshot {
  const units = snapshot.units.filter((unit) =>
    (all || unit.kind !== 'orphaned') && (service === null || unit.name === service || unit.hash === service));
  return { ...snapshot, overall_health: overallHealth(units), units };
}

function exitCode({ units, overall_health: health }: StatusSnapshot): number {
  return units.length === 0 ? 1 : healthExitCode(health);
}
