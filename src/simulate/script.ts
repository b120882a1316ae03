import { createActor, fromCallback } from 'xstate';
import type { AttemptInput, attemptPort, ProbeInput, ProcessInput, processPort, probePort } from '../../machines/ports.ts';
import { provideProbe } from '../../machines/probe.ts';
import { inSeconds } from '../../machines/ends.ts';
import { isAnnounced, type AttemptReport, type ProcessExit, type ProcessOrder, type ProcessReport, type ServiceSpec, type SignalName } from '../../machines/types.ts';
import type { Clock } from '../clock.ts';
import type { Behaviour } from './scenario.ts';

type ScriptClock = Pick<Clock, 'now' | 'at' | 'arm' | 'disarm'>;

/** The check of a unit as the scenario has it now; listeners learn of changes. */
interface ScriptedCheck {
  fails: boolean;
  readonly listeners: Set<() => void>;
}

/** From the order to start until the program runs: long enough that no loop is without duration. */
const SPAWN_MS = 1;
const ONE_RUN_MS = 1000;
/** Signals from a person by which programs are informed and not ended. */
const HARMLESS: readonly SignalName[] = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT', 'SIGCHLD', 'SIGURG'];

/** Processes and checks that do what the scenario says, on its clock. */
export function openScript(clock: ScriptClock, services: ReadonlyMap<string, Partial<Behaviour>>) {
  const living = new Map<string, (exit: ProcessExit) => void>();
  const checks = new Map<string, ScriptedCheck>();
  const launched = new Map<string, number>();
  let pids = 1000;

  const checkOf = (unit: string): ScriptedCheck => {
    const known = checks.get(unit) ?? { fails: false, listeners: new Set() };
    checks.set(unit, known);
    return known;
  };

  const process: typeof processPort = fromCallback<ProcessOrder, ProcessInput>(({ input, sendBack, receive }) => {
    const { spec, generation, role } = input;
    const behaviour = behaviourOf(spec, role === 'main' ? services.get(spec.name) : undefined, role !== 'main');
    const report = (event: ProcessReport): void => sendBack(event);
    const forgets: (() => void)[] = [];
    const after = (ms: number, run: () => void): void => void forgets.push(clock.at(clock.now() + ms, run));
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

  const probe: typeof probePort = fromCallback<{ type: 'never' }, ProbeInput>(({ input, sendBack }) => {
    const { spec: { name } } = input;
    const { startsInMs, checkTakesMs } = behaviourOf(input.spec, services.get(name), false);
    const attempt = scriptedAttempt({
      clock, takesMs: checkTakesMs, readyAt: (launched.get(name) ?? clock.now()) + startsInMs, scripted: checkOf(name),
      isSettled: (passes) => {
        const snapshot = machine.getSnapshot();
        return snapshot.matches('ready') && (passes ? snapshot.context.failures === 0 : snapshot.context.failures >= input.check.retries);
      },
    });
    const machine = createActor(provideProbe({ clock, attempt }), { input: { ...input, wasReady: false, mostAttempts: null, at: clock.now() } });
    machine.on('*', (report) => sendBack(report));
    machine.start();
    return () => {
      clock.disarm(machine);
      machine.stop();
    };
  });

  return {
    process, probe,
    /** Ends the unit's living process; false when there is none. */
    end: (unit: string, exit: ProcessExit): boolean => {
      const end = living.get(unit);
      end?.(exit);
      return end !== undefined;
    },
    /** From now on the unit's check passes, or fails. */
    setCheck: (unit: string, passes: boolean): void => {
      const check = checkOf(unit);
      check.fails = !passes;
      for (const listener of check.listeners) listener();
    },
  };
}

/** What a unit's processes do. Where the scenario says nothing, services run for ever, one-shots, cron runs and preparations end well after a second. */
export function behaviourOf(spec: ServiceSpec, said: Partial<Behaviour> | undefined, isStep: boolean): Behaviour {
  const endsByItself = isStep || spec.restart.oneshot || spec.cron !== null;
  return {
    runsMs: endsByItself ? ONE_RUN_MS : null,
    // A skip command that succeeds would skip the unit.
    exit: { code: isStep && typeof spec.skip === 'string' ? 1 : 0, signal: null },
    startsInMs: 0, stopsInMs: 0, checkTakesMs: 0, ...said,
  };
}

interface ScriptedAttempt {
  readonly clock: ScriptClock;
  /** How long an attempt takes that is not cut short. */
  readonly takesMs: number;
  readonly readyAt: number;
  readonly scripted: ScriptedCheck;
  /** Whether an attempt that ends like this, and every later one, changes nothing. */
  isSettled(passes: boolean): boolean;
}

/**
 * One attempt of a check, and the only scripted part of it: the rules are those of the probe machine. While nothing can
 * change, a liveness attempt stands for all that would follow and ends when the first of them would that meets a change
 * of the script, so that a quiet simulation comes to its end.
 */
function scriptedAttempt({ clock, takesMs, readyAt, scripted, isSettled }: ScriptedAttempt): typeof attemptPort {
  return fromCallback<{ type: 'never' }, AttemptInput>(({ input: { check, limitMs }, sendBack }) => {
    const beganAt = clock.now();
    const endsAt = beganAt + Math.min(takesMs, limitMs);
    const periodMs = endsAt - beganAt + check.intervalMs;
    let forget: () => void = () => undefined;
    const passes = (): boolean => takesMs <= limitMs && !scripted.fails;
    const failure = takesMs > limitMs ? `took longer than ${inSeconds(limitMs)} (simulated)` : 'did not pass (simulated)';
    const end = (at: number, isOk: () => boolean): void => {
      forget = clock.at(at, () => sendBack((isOk() ? { type: 'attempt.ok', at: clock.now() } : { type: 'attempt.failed', at: clock.now(), reason: failure }) satisfies AttemptReport));
    };
    const plan = (): void => {
      forget();
      if (isAnnounced(check.probe)) {
        // A failing check keeps silent, until the time is over.
        const saysAt = Math.max(clock.now(), readyAt);
        const isHeard = !scripted.fails && saysAt <= beganAt + limitMs;
        return end(isHeard ? saysAt : beganAt + limitMs, () => isHeard);
      }
      if (isSettled(passes())) return;
      const missed = Math.max(0, Math.ceil((clock.now() - endsAt) / periodMs));
      end(endsAt + missed * periodMs, () => passes() && clock.now() >= readyAt);
    };
    plan();
    scripted.listeners.add(plan);
    return () => {
      forget();
      scripted.listeners.delete(plan);
    };
  });
}
