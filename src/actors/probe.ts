import { connect } from 'node:net';
import { fromCallback } from 'xstate';
import { probePort, type ProbeInput } from '../../machines/ports.ts';
import type { ProbeReport } from '../../machines/types.ts';
import { childEnvironment } from '../process/environment.ts';
import { runCommand, type CommandResult } from '../process/run-command.ts';
import type { Clock } from './clock.ts';

export interface ProbeOutside {
  readonly clock: Clock;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Readiness every interval until one attempt passes or the time is over, then liveness every interval: `retries`
 * failures in a row are `probe.bad`, the next success is `probe.ok` again.
 */
export function makeProbeActor(outside: ProbeOutside): typeof probePort {
  return fromCallback<{ type: 'never' }, ProbeInput>(({ input, sendBack }) => {
    const ended = new AbortController();
    const tell = (report: ProbeReport): void => {
      if (!ended.signal.aborted) sendBack(report);
    };
    void watch(input, outside, tell, ended.signal);
    return () => ended.abort();
  });
}

async function watch(input: ProbeInput, outside: ProbeOutside, tell: (report: ProbeReport) => void, ended: AbortSignal): Promise<void> {
  const { check, generation } = input;
  const { clock } = outside;
  const attempt = (limitMs: number): Promise<CommandResult> => tryOnce(input, outside, Math.max(1, limitMs), ended);

  await pause(clock, check.startPeriodMs, ended);
  const until = clock.now() + check.timeoutMs;
  for (;;) {
    const result = await attempt(until - clock.now());
    if (ended.aborted) return;
    if (result.ok) break;
    if (clock.now() + check.intervalMs >= until) {
      return tell({ type: 'probe.timeout', generation, at: clock.now(), reason: `not ready within ${check.timeoutMs / 1000} s: the check ${result.reason}` });
    }
    await pause(clock, check.intervalMs, ended);
  }
  tell({ type: 'probe.ok', generation, at: clock.now() });

  for (let failures = 0; ;) {
    await pause(clock, check.intervalMs, ended);
    if (ended.aborted) return;
    const result = await attempt(Math.min(check.timeoutMs, check.intervalMs));
    if (ended.aborted) return;
    if (result.ok) {
      if (failures >= check.retries) tell({ type: 'probe.ok', generation, at: clock.now() });
      failures = 0;
    } else {
      failures += 1;
      if (failures === check.retries) {
        tell({ type: 'probe.bad', generation, at: clock.now(), reason: `unhealthy: ${failures} checks in a row failed; the last one ${result.reason}` });
      }
    }
  }
}

function tryOnce({ check, spec }: ProbeInput, outside: ProbeOutside, limitMs: number, ended: AbortSignal): Promise<CommandResult> {
  const { probe } = check;
  switch (probe.kind) {
    case 'command': {
      const env = { ...childEnvironment(outside.environment, spec.env, ''), SYSG_SERVICE_NAME: spec.name };
      return runCommand({ script: probe.command, cwd: spec.workingDir, env, timeoutMs: limitMs, signal: ended });
    }
    case 'tcp': return connects(probe.host, probe.port, limitMs, ended);
    default: return Promise.resolve({ ok: false, reason: `is of a kind that is not supported yet: ${probe.kind}` });
  }
}

function connects(host: string, port: number, limitMs: number, ended: AbortSignal): Promise<CommandResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: limitMs, signal: ended });
    const settle = (result: CommandResult): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => settle({ ok: true }));
    socket.once('timeout', () => settle({ ok: false, reason: `got no connection to ${host}:${port} in ${limitMs / 1000} s` }));
    socket.once('error', (error) => settle({ ok: false, reason: `got no connection to ${host}:${port}: ${error.message}` }));
  });
}

function pause(clock: Clock, ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ms <= 0 || ended.aborted) return resolve();
    const forget = clock.at(clock.now() + ms, () => {
      ended.removeEventListener('abort', leave);
      resolve();
    });
    const leave = (): void => {
      forget();
      resolve();
    };
    ended.addEventListener('abort', leave, { once: true });
  });
}
