import type { AnyActorRef } from 'xstate';
import type { HookRun } from '../../machines/types.ts';
import { refuse } from '../errors.ts';
import { runForUnit, type CommandOutside, type CommandResult } from '../process/run-command.ts';
import { pause, within } from './within.ts';

export type HookQueues = ReturnType<typeof openHookQueues>;

/**
 * Runs hooks in the project's directory as the supervisor's user, one at a time for each unit, each for at most its timeout: then all of
 * it is ended. They write where the supervisor does.
 */
export function openHookQueues(outside: CommandOutside) {
  const { clock } = outside;
  /** Settled when the last run of a unit has ended; without those that have. */
  const queues = new Map<AnyActorRef, Promise<void>>();
  const ended = new AbortController();
  let failed = (_unit: string, _hook: string, _reason: string): void => undefined;

  const perform = async (run: HookRun): Promise<void> => {
    const { unit, hook } = run;
    const result = ended.signal.aborted ? dropped : await runHook(run, outside, ended.signal);
    if (result.ok) return;
    const name = `${hook.stage}.${hook.outcome}`;
    failed(unit, name, result.reason);
    outside.onProblem(`${name} hook for '${unit}' ${result.reason}`);
  };
  const idle = async (): Promise<void> => {
    while (queues.size > 0) await Promise.all(queues.values());
  };

  return {
    /** Calls the listener for each run that failed, or that was dropped. `hook` is its name, such as `on_start.success`. */
    onFailure: (listener: (unit: string, hook: string, reason: string) => void): void => {
      failed = listener;
    },
    queue: (runs: readonly HookRun[], target: AnyActorRef): void => {
      const last = runs.reduce((before, run) => before.then(() => perform(run)), queues.get(target) ?? Promise.resolve());
      const end = last.then(() => {
        if (queues.get(target) !== end) return;
        queues.delete(target);
        if (!ended.signal.aborted) target.send({ type: 'hooks.idle', at: clock.now() });
      });
      queues.set(target, end);
    },
    /** When every queue is empty, or after `limitMs`: then what still runs is ended, and what waits is dropped. */
    async finish(limitMs: number): Promise<void> {
      const patience = new AbortController();
      await Promise.race([idle(), pause(limitMs, clock, patience.signal)]);
      patience.abort();
      ended.abort();
      await idle();
    },
  };
}

const dropped: CommandResult = refuse('was not run: the supervisor ended');

function runHook(run: HookRun, outside: CommandOutside, ended: AbortSignal): Promise<CommandResult> {
  const { spec, hook, pid, exit, attempt, cause } = run;
  const variables = {
    SYSG_SERVICE_NAME: spec.name, SYSG_EVENT: `${hook.stage}.${hook.outcome}`, SYSG_PID: pid === null ? null : String(pid),
    SYSG_EXIT_CODE: exit?.code == null ? null : String(exit.code), SYSG_SIGNAL: exit?.signal ?? null, SYSG_ATTEMPT: String(attempt), SYSG_CAUSE: cause,
  };
  return within(hook.timeoutMs, outside.clock, ended, (signal) => runForUnit(spec, {
    purpose: 'hook', asUnit: false, script: hook.command, output: 'inherit', signal, variables,
  }, outside));
}
