import { fromCallback } from 'xstate';
import { probePort, type ProbeInput } from '../../machines/ports.ts';
import type { ProbeReport } from '../../machines/types.ts';
import type { CommandResult } from '../process/run-command.ts';
import type { Announced, Announcements } from './checks/announcements.ts';
import { attempt, type Attempted, type AttemptOutside } from './checks/attempt.ts';
import type { Clock } from './clock.ts';
import { pause, seconds, within } from './within.ts';

export interface ProbeOutside extends AttemptOutside {
  readonly clock: Clock;
  readonly announcements: Pick<Announcements, 'heard'>;
  /** Whether this very process was ready before: it was taken over from another supervisor, and its start is long past. */
  wasReady(unit: string, generation: number): boolean;
}

/**
 * Readiness, then liveness. Readiness is tried every interval, and a last time when `timeout` is over, or awaited where the process itself
 * says when it is ready. Liveness is tried every interval: `retries` failures in a row are `probe.bad`, the next success is `probe.ok`
 * again. What a process says of itself it says once: it has no liveness.
 */
export function makeProbeActor(outside: ProbeOutside): typeof probePort {
  return fromCallback<{ type: 'never' }, ProbeInput>(({ input, sendBack }) => {
    const ended = new AbortController();
    const watch: Watch = {
      input, outside, ended: ended.signal,
      tell: (report) => {
        if (!ended.signal.aborted) sendBack({ ...report, generation: input.generation, at: outside.clock.now() });
      },
    };
    const { probe } = input.check;
    void (probe.kind === 'log' || probe.kind === 'notify' ? listen(watch, probe) : examine(watch, probe));
    return () => ended.abort();
  });
}

interface Watch {
  readonly input: ProbeInput;
  readonly outside: ProbeOutside;
  readonly ended: AbortSignal;
  tell(report: { readonly type: 'probe.ok' } | { readonly type: Exclude<ProbeReport['type'], 'probe.ok'>; readonly reason: string }): void;
}

/** The least that the last attempt gets, which begins when the time is over. */
const lastAttemptMs = 1000;

async function examine(watch: Watch, probe: Attempted): Promise<void> {
  const { input: { check, spec, generation }, outside, ended, tell } = watch;
  const { clock } = outside;
  const tryOnce = (limitMs: number): Promise<CommandResult> =>
    within(limitMs, clock, ended, (signal) => attempt(probe, spec, outside, signal));

  if (!outside.wasReady(spec.name, generation)) await pause(check.startPeriodMs, clock, ended);
  const until = clock.now() + check.timeoutMs;
  while (!ended.aborted) {
    const result = await tryOnce(Math.max(until - clock.now(), Math.min(lastAttemptMs, check.timeoutMs)));
    if (result.ok) break;
    const leftMs = until - clock.now();
    if (leftMs <= 0) return tell({ type: 'probe.timeout', reason: `not ready within ${seconds(check.timeoutMs)}: the check ${result.reason}` });
    await pause(Math.min(check.intervalMs, leftMs), clock, ended);
  }
  tell({ type: 'probe.ok' });

  for (let failures = 0; !ended.aborted;) {
    await pause(check.intervalMs, clock, ended);
    if (ended.aborted) return;
    const result = await tryOnce(Math.min(check.timeoutMs, check.intervalMs));
    if (result.ok) {
      if (failures >= check.retries) tell({ type: 'probe.ok' });
      failures = 0;
      continue;
    }
    failures += 1;
    if (failures === check.retries) {
      const which = failures === 1 ? 'the check' : `${failures} checks in a row failed; the last one`;
      tell({ type: 'probe.bad', reason: `unhealthy: ${which} ${result.reason}` });
    }
  }
}

async function listen({ input: { check, spec, generation }, outside, ended, tell }: Watch, probe: Announced): Promise<void> {
  const limitMs = check.startPeriodMs + check.timeoutMs;
  const result = await within(limitMs, outside.clock, ended, async (signal) => {
    const ok = outside.wasReady(spec.name, generation) || (await outside.announcements.heard(spec, probe, signal));
    return ok ? { ok } : { ok, reason: '' };
  });
  if (result.ok) return tell({ type: 'probe.ok' });
  const missing = probe.kind === 'log' ? `no line of its output matched /${probe.pattern}/` : `it wrote no newline to descriptor ${probe.fd}`;
  tell({ type: 'probe.timeout', reason: `not ready within ${seconds(limitMs)}: ${missing}` });
}
