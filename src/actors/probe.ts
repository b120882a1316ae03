import { createActor, fromCallback } from 'xstate';
import { attemptPort, probePort, type AttemptInput, type ProbeInput } from '../../machines/ports.ts';
import { provideProbe } from '../../machines/probe.ts';
import { isAnnounced, type AttemptReport } from '../../machines/types.ts';
import type { CommandResult } from '../process/run-command.ts';
import type { CommandOutside } from '../process/unit-command.ts';
import type { Announcements } from './checks/announcements.ts';
import { attempt } from './checks/attempt.ts';
import { within } from './within.ts';

export interface ProbeOutside extends CommandOutside {
  readonly announcements: Pick<Announcements, 'heard'>;
  /** Whether this very process was ready before: it was taken over from another supervisor, and its start is long past. */
  wasReady(unit: string, generation: number): boolean;
}

/** Runs the probe machine for one process and reports what it finds; nothing any more once it is ended. */
export function makeProbeActor(outside: ProbeOutside): typeof probePort {
  const { clock } = outside;
  const machine = provideProbe({ clock, attempt: makeAttemptActor(outside) });
  return fromCallback<{ type: 'never' }, ProbeInput>(({ input, sendBack }) => {
    const probe = createActor(machine, {
      input: { ...input, wasReady: outside.wasReady(input.spec.name, input.generation), at: clock.now() },
    });
    probe.on('*', (report) => sendBack(report));
    probe.start();
    return () => {
      clock.disarm(probe);
      probe.stop();
    };
  });
}

function makeAttemptActor(outside: ProbeOutside): typeof attemptPort {
  const { clock } = outside;
  return fromCallback<{ type: 'never' }, AttemptInput>(({ input, sendBack }) => {
    const ended = new AbortController();
    void perform(input, outside, ended.signal).then((result) => {
      if (ended.signal.aborted) return;
      sendBack((result.ok ? { type: 'attempt.ok', at: clock.now() } : { type: 'attempt.failed', at: clock.now(), reason: result.reason }) satisfies AttemptReport);
    });
    return () => ended.abort();
  });
}

function perform({ spec, check: { probe }, limitMs }: AttemptInput, outside: ProbeOutside, ended: AbortSignal): Promise<CommandResult> {
  return within(limitMs, outside.clock, ended, async (signal) => {
    if (!isAnnounced(probe)) return attempt(probe, spec, outside, signal);
    return await outside.announcements.heard(spec, probe, signal) ? { ok: true } : { ok: false, reason: 'was not heard' };
  });
}
