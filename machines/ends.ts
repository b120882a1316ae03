import type { ProcessExit } from './process-facts.ts';

/** How processes end, in words; apart from the machines, for those that show records. */

/** Why a unit that is no longer configured answers no command. */
export const REMOVED = 'removed from the configuration';

/** How a process ended, in words. */
export function describeExit({ code, signal }: ProcessExit, subject = 'process'): string {
  if (signal !== null) return `${subject} terminated by signal ${signal}`;
  const meaning = code === 127 ? ' (command not found)' : code === 126 ? ' (command cannot be executed)' : '';
  return `${subject} exited with status ${code}${meaning}`;
}

/** What a process left running at its end, in words that follow its name. A clean end looks like that of a program that puts itself into the background. */
export function leftBehind(left: readonly string[], exit: ProcessExit | null): string {
  const hint = exit?.code === 0 ? '; a program has to stay in the foreground, what it leaves running is ended with it' : '';
  return `left ${left.join(', ')} running, which was ended${hint}`;
}

export function inSeconds(ms: number): string {
  return `${Math.round(ms / 10) / 100} s`;
}
