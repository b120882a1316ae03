import { createActor, fromCallback } from 'xstate';
import type { probePort, ProbeInput } from '../../machines/ports.ts';
import { provideProbe } from '../../machines/probe.ts';
import { makeAttemptActor, type AttemptOutside } from './checks/attempt.ts';

export interface ProbeOutside extends AttemptOutside {
  /** Whether this very process was ready before: it was taken over from another supervisor, and its start is long past. */
  wasReady(unit: string, generation: number): boolean;
}

/** Runs the probe machine for one process and reports what it finds; nothing any more once it is ended. */
export function makeProbeActor(outside: ProbeOutside): typeof probePort {
  const { clock } = outside;
  const machine = provideProbe({ clock, attempt: makeAttemptActor(outside) });
  return fromCallback<{ type: 'never' }, ProbeInput>(({ input, sendBack }) => {
    const probe = createActor(machine, {
      input: { ...input, wasReady: outside.wasReady(input.spec.name, input.generation), mostAttempts: null, at: clock.now() },
    });
    probe.on('*', (report) => sendBack(report));
    probe.start();
    return () => {
      clock.disarm(probe);
      probe.stop();
    };
  });
}
