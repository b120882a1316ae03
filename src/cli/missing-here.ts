import type { ServiceSpec } from '../../machines/types.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { findGroup, findUser } from '../process/accounts.ts';
import { checkWorkingDir, resolveProgram } from '../process/program.ts';

/** What services need and this machine does not have at present; a service may still bring it about before another one starts. */
export function missingHere({ path, services }: LoadedConfig, env: NodeJS.ProcessEnv): readonly ConfigProblem[] {
  return services.flatMap((spec) => missingFor(spec, env).map(([key, message]) => (
    { file: path, line: 0, column: 0, path: `services.${/^[\p{L}\p{N}_@%+-]+$/u.test(spec.name) ? spec.name : JSON.stringify(spec.name)}.${key}`, message, excerpt: '' }
  )));
}

function missingFor({ workingDir, launch, privileges, env: own }: ServiceSpec, env: NodeJS.ProcessEnv): readonly (readonly [key: string, message: string])[] {
  const found: [string, string][] = [];
  const { user, group, supplementaryGroups } = privileges;
  if (user !== null && findUser(user) === null) found.push(['user', `there is no user '${user}' here`]);
  if (group !== null && findGroup(group) === null) found.push(['group', `there is no group '${group}' here`]);
  for (const name of supplementaryGroups ?? []) {
    if (findGroup(name) === null) found.push(['supplementary_groups', `there is no group '${name}' here`]);
  }
  const obstacle = checkWorkingDir(workingDir);
  if (obstacle !== null) return [...found, ['working_dir', obstacle]];
  if (launch.kind !== 'exec') return found;
  const program = resolveProgram(launch.argv[0] ?? '', Object.hasOwn(own, 'PATH') ? own['PATH'] : env['PATH'], workingDir);
  return program.ok ? found : [...found, ['command', program.reason]];
}
