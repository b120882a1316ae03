import { tokenVariable } from './scan.ts';

/**
 * The environment of a unit's process: what the supervisor inherited without its own variables, the unit's over it, and
 * its tokens, the innermost last, behind those of outer supervisors.
 */
export function childEnvironment(
  inherited: Readonly<Record<string, string | undefined>>, own: Readonly<Record<string, string>>, ...tokens: readonly string[]
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    if (value !== undefined && !internal.has(name)) environment[name] = value;
  }
  Object.assign(environment, own);
  const outer = inherited[tokenVariable];
  environment[tokenVariable] = [...(outer === undefined || outer === '' ? [] : [outer]), ...tokens].join(',');
  return environment;
}

// What the guardian and the launching CLI tell the supervisor.
const internal: ReadonlySet<string> = new Set(['SYSG_GUARDIAN', 'SYSG_NOFILE', 'SYSG_READY_FD']);
