import type { HookOutcome, HookSpec, HookStage } from '../../machines/types.ts';
import { command, duration, meaning, type Kind } from './kind.ts';
import { optional, record, required, withDefault } from './record.ts';

const stages = ['on_start', 'on_stop', 'on_restart'] as const satisfies readonly HookStage[];
const outcomes = ['success', 'error'] as const satisfies readonly HookOutcome[];

const action = record({
  command: required(command, 'Command run by `sh -c` in the project directory.'),
  timeout: withDefault(duration('positive'), 'Time it may take; then it is killed.', 30_000),
}, "hook keys such as {command: 'echo started'}");

const stage = record({
  success: optional(action, 'Run when it succeeded.'),
  error: optional(action, 'Run when it failed.'),
}, "the outcomes 'success' and 'error'");

const stageMap = record({
  on_start: optional(stage, 'After a start.'),
  on_stop: optional(stage, 'After a stop or an end.'),
  on_restart: optional(stage, 'After an automatic restart.'),
}, "the stages 'on_start', 'on_stop' and 'on_restart'");

export const hooks: Kind<readonly HookSpec[]> = meaning(stageMap, (values) => stages.flatMap((name) => outcomes.flatMap((outcome) => {
  const found = values[name]?.[outcome] ?? null;
  return found === null ? [] : [{ stage: name, outcome, command: found.command, timeoutMs: found.timeout }];
})));
