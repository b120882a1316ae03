import type { AnyActorRef } from 'xstate';
import type { HookPort } from '../../machines/ports.ts';
import type { HookRun } from '../../machines/types.ts';
import { childEnvironment } from '../process/environment.ts';
import { runCommand } from '../process/run-command.ts';

export interface HookOutside {
  now(): number;
  readonly environment: NodeJS.ProcessEnv;
  /** Told of every run that did not succeed. The unit goes on all the same. */
  onProblem(text: string): void;
}

export interface HookQueues extends HookPort {
  /** When every queue is empty, or after `limitMs`. */
  idle(limitMs: number): Promise<void>;
}

/** Runs hooks in the project's directory, one at a time for each unit, each for at most its timeout. */
export function openHookQueues(outside: HookOutside): HookQueues {
  const queues = new Map<AnyActorRef, HookRun[]>();
  let whenIdle: (() => void)[] = [];

  const drain = async (target: AnyActorRef, queue: HookRun[]): Promise<void> => {
    for (let run = queue[0]; run !== undefined; run = queue[0]) {
      await runHook(run, outside);
      queue.shift();
    }
    queues.delete(target);
    target.send({ type: 'hooks.idle', at: outside.now() });
    if (queues.size > 0) return;
    for (const wake of whenIdle) wake();
    whenIdle = [];
  };

  return {
    queue: (runs, target) => {
      const queue = queues.get(target);
      if (queue !== undefined) return void queue.push(...runs);
      const fresh = [...runs];
      queues.set(target, fresh);
      void drain(target, fresh);
    },
    idle: (limitMs) => new Promise((resolve) => {
      if (queues.size === 0) return resolve();
      const timer = setTimeout(resolve, limitMs);
      whenIdle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    }),
  };
}

async function runHook(run: HookRun, outside: HookOutside): Promise<void> {
  const { spec, hook } = run;
  const result = await runCommand({
    script: hook.command, cwd: spec.projectDir, env: hookEnvironment(run, outside.environment), timeoutMs: hook.timeoutMs,
    signal: new AbortController().signal,
  });
  if (!result.ok) outside.onProblem(`${hook.stage}.${hook.outcome} hook for '${spec.name}' ${result.reason}`);
}

/** Variables without a value are not set at all. */
function hookEnvironment(run: HookRun, inherited: NodeJS.ProcessEnv): Record<string, string> {
  const { spec, hook, pid, exit, attempt, cause } = run;
  const values: Readonly<Record<string, string | null>> = {
    SYSG_SERVICE_NAME: spec.name, SYSG_EVENT: `${hook.stage}.${hook.outcome}`, SYSG_PID: pid === null ? null : String(pid),
    SYSG_EXIT_CODE: exit?.code == null ? null : String(exit.code), SYSG_SIGNAL: exit?.signal ?? null, SYSG_ATTEMPT: String(attempt), SYSG_CAUSE: cause,
  };
  const { SYSG_INSTANCE: _token, ...environment } = childEnvironment(inherited, spec.env, '');
  for (const [name, value] of Object.entries(values)) {
    if (value === null) delete environment[name];
    else environment[name] = value;
  }
  return environment;
}
