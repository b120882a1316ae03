import { overallHealth } from '../../status/snapshot.ts';
import type { StatusSnapshot } from '../../wire/payloads.ts';
import { askStatus, type StatusAnswer } from '../ask.ts';
import { lookOf, streamOf, type Call } from '../call.ts';
import { warnAboutOtherConfig } from '../config-choice.ts';
import { options } from '../options.ts';
import { statusTable } from '../print/status.ts';
import { healthExitCode } from '../print/unit.ts';

/** Shows the units. The exit code is their health: 0 healthy, 1 degraded or none, 2 failing. */
export async function status(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const stream = streamOf(call);
  if (!stream.ok) return terminal.refuse(stream.refusal);
  warnAboutOtherConfig(call);
  if (stream.everyMs !== null) {
    const { repeat } = await import('../repeat.ts');
    return repeat(call, stream.everyMs, async () => {
      const answer = await askUnits(call);
      return answer.ok ? { ok: true, lines: linesOf(call, answer.snapshot), complaints: [], exitCode: exitCode(answer.snapshot) } : answer;
    });
  }
  if (terminal.isInteractive === true && !flags.has(options.json)) {
    // Without a supervisor nothing changes by itself: what is in the files is printed once.
    const live = await askLiveUnits(call);
    if (live.ok && live.snapshot.units.length > 0) {
      const { statusScreen } = await import('../screen/status-screen.ts');
      return statusScreen(call, { first: live.snapshot, color: lookOf(call).color, fullCommands: flags.has(options.fullCommand), refresh: () => askLiveUnits(call) });
    }
  }
  const answer = await askUnits(call);
  if (!answer.ok) return terminal.refuse(answer.refusal);
  terminal.print(linesOf(call, answer.snapshot).join('\n'));
  return exitCode(answer.snapshot);
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
  if (call.flags.has(options.json)) return [JSON.stringify(snapshot, null, 2)];
  if (snapshot.units.length === 0) return ['No matching units found.'];
  return statusTable(snapshot, { ...lookOf(call), fullCommands: call.flags.has(options.fullCommand) });
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
