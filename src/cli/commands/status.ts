import type { OverallHealth, StatusSnapshot } from '../../control/payloads.ts';
import { overallHealth } from '../../status/snapshot.ts';
import { askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { warnAboutOtherConfig } from '../config-choice.ts';
import { options } from '../options.ts';
import { statusTable } from '../print/status.ts';

/** Shows the units. The exit code is their health: 0 healthy, 1 degraded or none, 2 failing. */
export async function status(call: Call): Promise<number> {
  const { flags, terminal } = call;
  warnAboutOtherConfig(call);
  const answer = await askStatus(call);
  if (!answer.ok) return terminal.refuse(answer.refusal);
  const snapshot = narrowed(answer.snapshot, flags.text(options.service), flags.has(options.all));
  if (flags.has(options.json)) terminal.print(JSON.stringify(snapshot, null, 2));
  else if (snapshot.units.length === 0) terminal.print('No matching units found.');
  else {
    const look = { width: terminal.columns, color: terminal.color && !flags.has(options.noColor) };
    for (const line of statusTable(snapshot, look)) terminal.print(line);
  }
  return snapshot.units.length === 0 ? 1 : EXIT_CODES[snapshot.overall_health];
}

/** By name or hash; orphans only when asked for. The health is that of what is shown. */
function narrowed(snapshot: StatusSnapshot, service: string | null, all: boolean): StatusSnapshot {
  const units = snapshot.units.filter((unit) =>
    (all || unit.kind !== 'orphaned') && (service === null || unit.name === service || unit.hash === service));
  return { ...snapshot, overall_health: overallHealth(units), units };
}

const EXIT_CODES: Readonly<Record<OverallHealth, number>> = { healthy: 0, degraded: 1, failing: 2 };
