import { readFileSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { isOurs } from '../surroundings.ts';

/** The variable that says whose a process is: tokens separated by commas, the innermost supervisor's last. */
export const tokenVariable = 'SYSG_INSTANCE';

/**
 * The environment of a unit's process: what the supervisor inherited without its own variables, the unit's over it, and
 * its tokens, the innermost last, behind those of outer supervisors.
 */
export function childEnvironment(
  inherited: Readonly<Record<string, string | undefined>>, own: Readonly<Record<string, string>>, ...tokens: readonly string[]
): Record<string, string> {
  const outer = inherited[tokenVariable];
  const all = [...Object.entries(inherited).filter(([name]) => !isOurs(name)), ...Object.entries(own)];
  const tokenList = [...(outer === undefined || outer === '' ? [] : [outer]), ...tokens].join(',');
  // Made of entries, since an assignment to `__proto__`, which is a variable like any other here, sets none.
  return Object.fromEntries([...all.filter((entry): entry is [string, string] => entry[1] !== undefined), [tokenVariable, tokenList]]);
}

/** The environment with which the program of a process was started; null where that cannot be read. A program may have written over the memory that holds it. */
export function environmentOf(pid: number): ReadonlyMap<string, string> | null {
  // Null: the process has ended, hides from us, or there is no /proc here.
  const text = attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8'), null);
  const variables = text?.split('\0').filter((line) => line.includes('='));
  return variables === undefined ? null : new Map(variables.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** The tokens in an environment as the kernel shows it: proc_pid_environ(5). */
export function tokensIn(bytes: Buffer): readonly string[] {
  let at = bytes.indexOf(assignment);
  while (at > 0 && bytes[at - 1] !== 0) at = bytes.indexOf(assignment, at + 1);
  if (at < 0) return [];
  const start = at + assignment.length;
  const end = bytes.indexOf(0, start);
  return bytes.toString('latin1', start, end < 0 ? bytes.length : end).split(',').filter((token) => token !== '');
}

const assignment = Buffer.from(`${tokenVariable}=`);
