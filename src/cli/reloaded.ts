import { setTimeout as pause } from 'node:timers/promises';
import { refusals, type Refusal } from '../errors.ts';
import type { UnitSettlement, UnitStatus } from '../wire/payloads.ts';
import { spanInProse } from '../words.ts';
import { askFor, askRecords, askStatus } from './ask.ts';
import type { Call } from './call.ts';
import { commandStart } from './hints.ts';
import { waitTimeoutMs } from './options.ts';
import { isMoving, stateOf } from './print/unit.ts';

/** The units that a reload is about to start or to restart, each with the generation of its process before that. */
export type UnitsToChange = ReadonlyMap<string, number | undefined>;

/** Null where the supervisor cannot say: then the reload is refused for the same reason. */
export async function unitsToChange(call: Call, config: string | null): Promise<UnitsToChange | null> {
  const answer = await askFor(call, { kind: 'plan', config }, 'plan');
  const status = answer.ok ? await askStatus(call) : answer;
  if (!answer.ok || !status.ok) return null;
  const { start, restart } = answer.response.plan;
  const generations = new Map(status.snapshot.units.map(({ name, generation }) => [name, generation]));
  return new Map([...start, ...restart].map(({ unit }) => [unit, generations.get(unit)]));
}

/** Waits until the units have come to rest, and says which of them did not come up as the file has them now; null: all did. */
export async function failureOf(call: Call, before: UnitsToChange): Promise<{ readonly refusal: Refusal; readonly units: readonly UnitSettlement[] } | null> {
  const after = await settled(call, before);
  const records = after.some((unit) => isTheOldOne(unit, before)) ? await askRecords(call, null) : null;
  const units = after.flatMap((unit): readonly UnitSettlement[] => {
    const error = isTheOldOne(unit, before) ? `was not replaced: ${keptBecause(unit.name, records)}` : faultOf(unit, waitTimeoutMs(call));
    return error === null ? [] : [{ unit: unit.name, result: 'failed', error }];
  });
  if (units.length === 0) return null;
  const text = `${units.length} of ${before.size} units that changed did not come up`;
  return { refusal: refusals.refused([text, ...units.map(({ unit, error }) => `  ${unit}: ${error}; see ${commandStart(call)}why ${unit}`)].join('\n')), units };
}

async function settled(call: Call, before: UnitsToChange): Promise<readonly UnitStatus[]> {
  const deadline = performance.now() + waitTimeoutMs(call);
  for (;;) {
    const status = await askStatus(call);
    const all = status.ok ? status.snapshot.units : [];
    const units = [...before.keys()].flatMap((name) => all.find((unit) => unit.name === name) ?? []);
    if (!units.some(isMoving) || performance.now() > deadline) return units;
    await pause(PAUSE_MS);
  }
}

const PAUSE_MS = 100;

/** A candidate was to take its place and did not. */
function isTheOldOne({ name, kind, phase, generation, rollout }: UnitStatus, before: UnitsToChange): boolean {
  return kind === 'service' && phase === 'running' && rollout === undefined && generation !== undefined && before.get(name) === generation;
}

function keptBecause(name: string, read: Awaited<ReturnType<typeof askRecords>> | null): string {
  const records = read?.ok ? read.records : [];
  const reason = records.findLast(({ unit, event, detail }) => unit === name && event === 'rollout' && detail?.['result'] !== undefined)?.detail?.['reason'];
  return typeof reason === 'string' ? reason : 'the journal does not say why';
}

function faultOf(unit: UnitStatus, limitMs: number): string | null {
  const { phase, ready, reason, waits_for: waits = [] } = unit;
  const isDown = phase === 'failed' || phase === 'backoff' || (phase === 'running' && ready === false) || waits.some(({ lost }) => lost !== undefined);
  if (isDown) return reason ?? waits.find(({ lost }) => lost !== undefined)?.lost ?? `is ${stateOf(unit)}`;
  return isMoving(unit) ? `is ${stateOf(unit)} after ${spanInProse(limitMs)}` : null;
}
