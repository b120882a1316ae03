import { fromCallback } from 'xstate';
import { rolloutTaskPort, type RolloutTaskInput } from '../../machines/ports.ts';
import { gateOf, switchOf, verificationOf } from '../../machines/slots.ts';
import { isAnnounced, type HealthCheck, type RolloutReport, type ServiceSpec, type SlotChange, type SlotIndex } from '../../machines/types.ts';
import { attempt } from '../actors/checks/attempt.ts';
import { pause, within } from '../actors/within.ts';
import { refuse, textOf, type Refused } from '../errors.ts';
import type { CommandOutside } from '../process/run-command.ts';
import { formatDuration } from '../words.ts';
import { runSwitch } from './switch-command.ts';

export interface RolloutOutside extends CommandOutside {
  /** Notes durably which slot of a blue-green unit is in use. Throws nothing: why it could not. */
  recordSlot(spec: ServiceSpec, slot: SlotIndex): string | null;
  /** The last lines the newest process of the unit wrote to standard error, when all of its output was read. */
  lastWords(unit: string): Promise<readonly string[]>;
}

type Outcome = { readonly ok: true; readonly addressInUse?: boolean } | Refused;

/** One thing a rollout asks for. Reports once, or nothing when it is called off before. */
export function makeRolloutTaskActor(outside: RolloutOutside): typeof rolloutTaskPort {
  return fromCallback<{ type: 'never' }, RolloutTaskInput>(({ input, sendBack }) => {
    const calledOff = new AbortController();
    const report = (outcome: Outcome): void => {
      if (calledOff.signal.aborted) return;
      const common = { task: input.task, at: outside.clock.now() };
      sendBack((outcome.ok
        ? { ...common, type: 'task.done', ...(outcome.addressInUse !== undefined && { addressInUse: outcome.addressInUse }) }
        : { ...common, type: 'task.failed', reason: outcome.reason }) satisfies RolloutReport);
    };
    perform(input, outside, calledOff.signal).then(report, (error: unknown) => report(refuse(textOf(error))));
    return () => calledOff.abort();
  });
}

async function perform({ task, spec, slots }: RolloutTaskInput, outside: RolloutOutside, calledOff: AbortSignal): Promise<Outcome> {
  switch (task) {
    case 'words': return { ok: true, addressInUse: saysAddressInUse(await outside.lastWords(spec.name)) };
    case 'gate': return pass(gateOf(spec, slots), spec, outside, calledOff);
    case 'verify': return pass(verificationOf(spec, slots), spec, outside, calledOff);
    case 'switch': return slots === null ? done : runSwitch(spec, switchOf(spec, slots), outside, calledOff);
    case 'record': return slots === null ? done : record(spec, slots.to, outside);
    case 'switch-back': {
      if (slots === null) return done;
      const back: SlotChange = { from: slots.to, to: slots.from };
      const switched = await runSwitch(spec, switchOf(spec, back), outside, calledOff);
      const recorded = record(spec, back.to, outside);
      return switched.ok ? recorded : switched;
    }
  }
}

const done: Outcome = { ok: true };

/** `retries` attempts, `interval` apart, no further one once `timeout` is over: 0.33.0's rule for the checks of a deployment. */
async function pass(check: HealthCheck | null, spec: ServiceSpec, outside: RolloutOutside, calledOff: AbortSignal): Promise<Outcome> {
  if (check === null || isAnnounced(check.probe)) return done;
  const { clock } = outside;
  const { probe } = check;
  await pause(check.startPeriodMs, clock, calledOff);
  const until = clock.now() + check.timeoutMs;
  let reason = 'was not made';
  let attempts = 0;
  while (attempts < check.retries && !calledOff.aborted) {
    const result = await within(Math.max(LEAST_ATTEMPT_MS, until - clock.now()), clock, calledOff, (signal) => attempt(probe, spec, outside, signal));
    attempts += 1;
    if (result.ok) return done;
    ({ reason } = result);
    if (clock.now() >= until) break;
    if (attempts < check.retries) await pause(Math.min(check.intervalMs, until - clock.now()), clock, calledOff);
  }
  const tried = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
  return refuse(`Health check did not succeed within ${formatDuration(check.timeoutMs)} after ${tried}: the check ${reason}`);
}

const LEAST_ATTEMPT_MS = 100;

function record(spec: ServiceSpec, slot: SlotIndex, outside: RolloutOutside): Outcome {
  const problem = outside.recordSlot(spec, slot);
  return problem === null ? done : { ok: false, reason: `the slot in use cannot be recorded: ${problem}` };
}

/** What systemg 0.33.0 takes as a sign that the address is taken, in any case of letters. */
const phrases = ['address already in use', 'os error 48', 'os error 98', 'eaddrinuse'] as const;

/** Whether the last lines that a process wrote say that its address was in use. */
function saysAddressInUse(lines: readonly string[]): boolean {
  const text = lines.join('\n').toLowerCase();
  return phrases.some((phrase) => text.includes(phrase));
}
