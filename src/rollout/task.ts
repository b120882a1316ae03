import { createActor, fromCallback } from 'xstate';
import { rolloutTaskPort, type RolloutTaskInput } from '../../machines/ports.ts';
import { provideProbe } from '../../machines/probe.ts';
import { gateOf, switchOf, verificationOf } from '../../machines/slots.ts';
import { isAnnounced, type HealthCheck, type RolloutReport, type ServiceSpec, type SlotChange, type SlotIndex } from '../../machines/types.ts';
import { makeAttemptActor, type AttemptOutside } from '../actors/checks/attempt.ts';
import { refuse, textOf, type Refused } from '../errors.ts';
import { counted, formatDuration } from '../words.ts';
import { runSwitch } from './switch-command.ts';

export interface RolloutOutside extends AttemptOutside {
  /** Notes durably which slot of a blue-green unit is in use. Throws nothing: why it could not. */
  recordSlot(spec: ServiceSpec, slot: SlotIndex): string | null;
  /** The last lines the newest process of the unit wrote to standard error, when all of its output was read. */
  lastWords(unit: string): Promise<readonly string[]>;
}

type Outcome = { readonly ok: true; readonly addressInUse?: boolean } | Refused;

/** One thing a rollout asks for. Reports once; of an actor that is ended before, XState passes nothing on. */
export function makeRolloutTaskActor(outside: RolloutOutside): typeof rolloutTaskPort {
  return fromCallback<{ type: 'never' }, RolloutTaskInput>(({ input, sendBack }) => {
    const calledOff = new AbortController();
    const report = (outcome: Outcome): void => {
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

/** The check of a deployment: the probe machine, until the service is ready or `retries` attempts have failed, as in 0.33.0. */
function pass(check: HealthCheck | null, spec: ServiceSpec, outside: RolloutOutside, calledOff: AbortSignal): Promise<Outcome> {
  // What the process says of itself was its own check already.
  if (check === null || isAnnounced(check.probe)) return Promise.resolve(done);
  const { clock } = outside;
  return new Promise((resolve) => {
    const probe = createActor(provideProbe({ clock, attempt: makeAttemptActor(outside) }), {
      input: { spec, generation: 0, check, pid: 0, wasReady: false, mostAttempts: check.retries, at: clock.now() },
    });
    const end = (outcome: Outcome): void => {
      clock.disarm(probe);
      probe.stop();
      resolve(outcome);
    };
    probe.on('probe.ok', () => end(done));
    probe.on('probe.timeout', ({ attempts, finding }) => {
      end(refuse(`Health check did not succeed within ${formatDuration(check.timeoutMs)} after ${counted(attempts, 'attempt')}: the check ${finding}`));
    });
    calledOff.addEventListener('abort', () => end(refuse('called off')), { once: true });
    probe.start();
  });
}

function record(spec: ServiceSpec, slot: SlotIndex, outside: RolloutOutside): Outcome {
  const problem = outside.recordSlot(spec, slot);
  return problem === null ? done : refuse(`the slot in use cannot be recorded: ${problem}`);
}

/** What systemg 0.33.0 takes as a sign that the address is taken, in any case of letters. */
const phrases = ['address already in use', 'os error 48', 'os error 98', 'eaddrinuse'] as const;

/** Whether the last lines that a process wrote say that its address was in use. */
function saysAddressInUse(lines: readonly string[]): boolean {
  const text = lines.join('\n').toLowerCase();
  return phrases.some((phrase) => text.includes(phrase));
}
