import { setTimeout as pause } from 'node:timers/promises';
import { refusals } from '../../errors.ts';
import type { ReloadPlan, UnitStatus } from '../../wire/payloads.ts';
import displayWidth, { padded } from '../../width.ts';
import { counted, spanInProse } from '../../words.ts';
import { ask, askFor, askRecords, askStatus, messageOf, type Failure } from '../ask.ts';
import type { Call } from '../call.ts';
import { commandStart, namedConfig } from '../config-choice.ts';
import { options, waitTimeoutMs } from '../options.ts';
import { isMoving, stateOf } from '../print/unit.ts';
import { refuse, refuseUnits, reportUnits, showsProgress, withProgress } from '../report.ts';

/** Makes the supervisor apply what changed in the configuration, and nothing else. */
export async function reload(call: Call): Promise<number> {
  const config = namedConfig(call);
  if (!config.ok) return refuse(call, config.refusal);
  const waits = call.flags.has(options.untilUp) || showsProgress(call);
  const before = waits ? await unitsToChange(call, config.path) : null;
  const answer = await withProgress(call, { expects: () => false, settlesMs: waitTimeoutMs(call) }, () => ask(call, { kind: 'reload', config: config.path }));
  if (!answer.ok) return refuse(call, answer.refusal);
  const message = messageOf(answer.response);
  const failure = before === null ? null : await failureOf(call, before);
  return failure === null ? reportUnits(call, message, null) : refuseUnits(call, { ok: false, done: message, ...failure }, null);
}

/** Shows what a reload would touch, and why. Changes nothing. */
export async function plan(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const config = namedConfig(call);
  if (!config.ok) return terminal.refuse(config.refusal);
  const answer = await askFor(call, { kind: 'plan', config: config.path }, 'plan');
  if (!answer.ok) return terminal.refuse(answer.refusal);
  const { plan: found } = answer.response;
  if (flags.has(options.json)) terminal.print(JSON.stringify(found, null, 2));
  else for (const line of planLines(found)) terminal.print(line);
  return 0;
}

/** `restart  web  changed: env`, lined up; what stays is only counted. */
function planLines(found: ReloadPlan): readonly string[] {
  const rows = (['start', 'restart', 'update', 'stop'] as const).flatMap((what) => found[what].map(({ unit, why }) => ({ what, unit, why })));
  const width = Math.max(0, ...rows.map(({ unit }) => displayWidth(unit)));
  return [
    ...rows.map(({ what, unit, why }) => `${what.padEnd(8)} ${padded(unit, width)}  ${why}`),
    `${rows.length === 0 ? 'nothing would change: ' : ''}${counted(found.unchanged.length, 'unit')} unchanged`,
  ];
}

/** The units that a reload is about to start or to restart, each with the generation of its process before that. */
type UnitsToChange = ReadonlyMap<string, number | undefined>;

/** Null where the supervisor cannot say: then the reload is refused for the same reason. */
async function unitsToChange(call: Call, config: string | null): Promise<UnitsToChange | null> {
  const answer = await askFor(call, { kind: 'plan', config }, 'plan');
  const status = answer.ok ? await askStatus(call) : answer;
  if (!answer.ok || !status.ok) return null;
  const { start, restart } = answer.response.plan;
  const generations = new Map(status.snapshot.units.map(({ name, generation }) => [name, generation]));
  return new Map([...start, ...restart].map(({ unit }) => [unit, generations.get(unit)]));
}

/** Waits until the units have come to rest, and says which of them did not come up as the file has them now; null: all did. */
async function failureOf(call: Call, before: UnitsToChange): Promise<Pick<Failure, 'refusal' | 'units'> | null> {
  const after = await settled(call, before);
  const records = after.some((unit) => isTheOldOne(unit, before)) ? await askRecords(call, null) : null;
  const units = after.flatMap((unit): NonNullable<Failure['units']> => {
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
