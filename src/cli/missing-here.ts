import type { ServiceSpec } from '../../machines/types.ts';
import type { ConfigResult } from '../config/load.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { findGroup, findUser } from '../process/accounts.ts';
import { checkWorkingDir, resolveProgram } from '../process/program.ts';

/** What services need and this machine does not have at present; a service may still bring it about before another one starts. */
export function missingHere({ config, sayOf }: Extract<ConfigResult, { ok: true }>, env: NodeJS.ProcessEnv): readonly ConfigProblem[] {
  return config.services.flatMap((spec) => missingFor(spec, env).flatMap(([keys, message]) => sayOf(spec.name, keys, message) ?? []));
}

/** `keys`: any of these says what is missing. */
type Missing = readonly [keys: readonly string[], message: string];

function missingFor({ workingDir, launch, privileges, env: own }: ServiceSpec, env: NodeJS.ProcessEnv): readonly Missing[] {
  const found: Missing[] = [];
  const { user, group, supplementaryGroups } = privileges;
  if (user !== null && findUser(user) === null) found.push([['user'], `there is no user '${user}' here`]);
  if (group !== null && findGroup(group) === null) found.push([['group'], `there is no group '${group}' here`]);
  for (const name of supplementaryGroups ?? []) {
    if (findGroup(name) === null) found.push([['supplementary_groups'], `there is no group '${name}' here`]);
  }
  const chosen = user !== null ? 'user' : group !== null ? 'group' : supplementaryGroups !== null ? 'supplementary_groups' : null;
  if (chosen !== null && found.length === 0 && process.getuid?.() !== 0) found.push([[chosen], 'only a supervisor of root starts a service with other rights than its own, as sysg --sys start does']);
  const obstacle = checkWorkingDir(workingDir);
  if (obstacle !== null) return [...found, [['working_dir'], obstacle]];
  if (launch.kind !== 'exec') return found;
  const program = resolveProgram(launch.argv[0] ?? '', Object.hasOwn(own, 'PATH') ? own['PATH'] : env['PATH'], workingDir);
  return program.ok ? found : [...found, [['exec', 'command'], program.reason]];
}
