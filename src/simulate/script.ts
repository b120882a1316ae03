import { fromCallback } from 'xstate';
import type { ProbeInput, ProcessInput, processPort, probePort } from '../../machines/ports.ts';
import { isAnnounced, type ProbeReport, type ProcessExit, type ProcessOrder, type ProcessReport, type ServiceSpec, type SignalName } from '../../machines/types.ts';
import type { Clock } from '../clock.ts';
import type { Behaviour, PartialBehaviour } from './scenario.ts';

/** Processes and checks that do what the scenario says, on its clock. */
export interface Script {
  readonly process: typeof processPort;
  readonly probe: typeof probePort;
  /** Ends the unit's living process; false when there is none. */
  end(unit: string, exit: ProcessExit): boolean;
  /** From now on the unit's check passes, or fails. */
  setCheck(unit: string, passes: boolean): void;
}

type ScriptClock = Pick<Clock, 'now' | 'at'>;

/** From the order to start until the program runs: long enough that no loop is without duration. */
const SPAWN_MS = 1;
const ONE_RUN_MS = 1000;
/** A person's signals that programs take for news, not for an end. */
const HARMLESS: readonly SignalName[] = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT', 'SIGCHLD', 'SIGURG'];

export function openScript(clock: ScriptClock, services: ReadonlyMap<string, PartialBehaviour>): Script {
  const living = new Map<string, (exit: ProcessExit) => void>();
  const checks = new Map<string, { fails: boolean; readonly listeners: Set<() => void> }>();
  const launched = new Map<string, number>();
  let pids = 1000;

  const checkOf = (unit: string): { fails: boolean; readonly listeners: Set<() => void> } => {
    const known = checks.get(unit) ?? { fails: false, listeners: new Set<() => void>() };
    checks.set(unit, known);
    return known;
  };

  const process = fromCallback<ProcessOrder, ProcessInput>(({ input, sendBack, receive }) => {
    const { spec, generation, role } = input;
    const behaviour = behaviourOf(spec, role === 'main' ? services.get(spec.name) : undefined, role !== 'main');
    const report = (event: ProcessReport): void => sendBack(event);
    const forgets = new Set<() => void>();
    const after = (ms: number, run: () => void): void => {
      const forget = clock.at(clock.now() + ms, () => {
        forgets.delete(forget);
        run();
      });
      forgets.add(forget);
    };
    let ended = false;
    const end = (exit: ProcessExit): void => {
      if (ended) return;
      ended = true;
      if (living.get(spec.name) === end) living.delete(spec.name);
      report({ type: 'process.exited', generation, at: clock.now(), exit });
      after(0, () => report({ type: 'process.gone', generation, at: clock.now() }));
    };
    after(SPAWN_MS, () => {
      if (ended) return;
      pids += 1;
      if (role === 'main') {
        living.set(spec.name, end);
        launched.set(spec.name, clock.now());
      }
      report({ type: 'process.spawned', generation, at: clock.now(), identity: { pid: pids, startTime: String(clock.now()), bootId: 'simulated' } });
      if (behaviour.runsMs !== null) after(behaviour.runsMs, () => end(behaviour.exit));
    });
    receive((order) => {
      if (order.type === 'kill') end({ code: null, signal: 'SIGKILL' });
      else if (order.type === 'stop' && behaviour.stopsInMs !== null) after(behaviour.stopsInMs, () => end({ code: null, signal: order.signal }));
      else if (order.type === 'signal' && !HARMLESS.includes(order.signal)) end({ code: null, signal: order.signal });
    });
    return () => {
      for (const forget of forgets) forget();
      if (living.get(spec.name) === end) living.delete(spec.name);
    };
  });

  const probe = fromCallback<{ type: 'never' }, ProbeInput>(({ input, sendBack }) => {
    const { spec } = input;
    const state = checkOf(spec.name);
    const behaviour = behaviourOf(spec, services.get(spec.name), false);
    const readyAt = (launched.get(spec.name) ?? clock.now()) + behaviour.startsInMs;
    return watchCheck({
      input, clock, checkTakesMs: behaviour.checkTakesMs, passes: () => !state.fails && clock.now() >= readyAt, readyAt,
      tell: (event) => sendBack(event),
      onChange: (listener) => {
        state.listeners.add(listener);
        return () => void state.listeners.delete(listener);
      },
    });
  });

  return {
    process, probe,
    end: (unit, exit) => {
      const end = living.get(unit);
      end?.(exit);
      return end !== undefined;
    },
    setCheck: (unit, passes) => {
      const check = checkOf(unit);
      check.fails = !passes;
      for (const listener of check.listeners) listener();
    },
  };
}

/** What a unit's processes do when nothing is said: services run for ever, one-shots, cron runs and preparations end well after a second. */
export function behaviourOf(spec: ServiceSpec, said: PartialBehaviour | undefined, isStep: boolean): Behaviour {
  const endsByItself = isStep || spec.restart.oneshot || spec.cron !== null;
  const value = <T>(given: T | 'unsaid' | undefined, otherwise: T): T => (given === undefined || given === 'unsaid' ? otherwise : given);
  return {
    runsMs: value(said?.runsMs, endsByItself ? ONE_RUN_MS : null),
    // A skip command that succeeds would skip the unit.
    exit: value(said?.exit, { code: isStep && typeof spec.skip === 'string' ? 1 : 0, signal: null }),
    startsInMs: value(said?.startsInMs, 0), stopsInMs: value(said?.stopsInMs, 0), checkTakesMs: value(said?.checkTakesMs, 0),
  };
}

interface CheckWatch {
  readonly input: ProbeInput;
  readonly clock: ScriptClock;
  readonly checkTakesMs: number;
  readonly readyAt: number;
  passes(): boolean;
  tell(event: ProbeReport): void;
  onChange(listener: () => void): () => void;
}

/**
 * The rules of the real probe: readiness is tried every interval and a last time when the time is over; then liveness
 * every interval. Attempts that can only end as the one before are not made, so that a quiet simulation comes to an end.
 */
function watchCheck({ input, clock, checkTakesMs, passes, readyAt, tell, onChange }: CheckWatch): () => void {
  const { check, generation } = input;
  const isHeardOnce = isAnnounced(check.probe);
  let forget: () => void = () => undefined;
  let isLive = false;
  let failures = 0;
  let lastAttemptAt = clock.now();
  const plan = (at: number, run: () => void): void => {
    forget();
    forget = clock.at(at, run);
  };
  const until = clock.now() + check.startPeriodMs + check.timeoutMs;
  const late = (): void => tell({ type: 'probe.timeout', generation, at: clock.now(), reason: `not ready within ${check.timeoutMs / 1000} s (simulated)` });

  const tryReadiness = (): void => {
    lastAttemptAt = clock.now();
    const limitMs = Math.max(until - clock.now(), Math.min(1000, check.timeoutMs));
    const takesMs = Math.min(checkTakesMs, limitMs);
    plan(clock.now() + takesMs, () => {
      if (checkTakesMs <= limitMs && passes()) {
        isLive = true;
        lastAttemptAt = clock.now();
        tell({ type: 'probe.ok', generation, at: clock.now() });
        planLiveness();
        return;
      }
      if (clock.now() >= until) return late();
      plan(Math.min(until, clock.now() + check.intervalMs), tryReadiness);
    });
  };

  const tryLiveness = (): void => {
    const limitMs = Math.min(check.timeoutMs, check.intervalMs);
    lastAttemptAt = clock.now();
    plan(clock.now() + Math.min(checkTakesMs, limitMs), () => {
      const passed = checkTakesMs <= limitMs && passes();
      lastAttemptAt = clock.now();
      if (passed && failures >= check.retries) tell({ type: 'probe.ok', generation, at: clock.now() });
      failures = passed ? 0 : failures + 1;
      if (failures === check.retries) tell({ type: 'probe.bad', generation, at: clock.now(), reason: `unhealthy: ${failures} checks in a row failed (simulated)` });
      planLiveness();
    });
  };

  /** Only while the next attempt may say something else than the last one. */
  const planLiveness = (): void => {
    const fails = !passes() || checkTakesMs > Math.min(check.timeoutMs, check.intervalMs);
    if (fails ? failures >= check.retries : failures === 0) return void (forget = () => undefined);
    const periods = Math.max(1, Math.ceil((clock.now() - lastAttemptAt) / check.intervalMs));
    plan(lastAttemptAt + periods * check.intervalMs, tryLiveness);
  };

  const ended = onChange(() => {
    if (isLive && !isHeardOnce) planLiveness();
  });
  if (isHeardOnce) {
    plan(Math.min(until, Math.max(clock.now(), readyAt)), () => {
      if (!passes()) return late();
      isLive = true;
      tell({ type: 'probe.ok', generation, at: clock.now() });
    });
  } else {
    plan(clock.now() + check.startPeriodMs, tryReadiness);
  }
  return () => {
    forget();
    ended();
  };
}
