import { interpreter } from '../../interpreter.ts';
import { environmentOfOurs } from '../../surroundings.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';

/** The argument vector of the supervisor. */
export function daemonCommand(call: Call, configPath: string, { names, foreground }: { readonly names: readonly string[] | null; readonly foreground: boolean }): string[] {
  return [
    ...interpreter.supervisor,
    '--config', configPath,
    '--mode', call.system ? 'sys' : 'user',
    ...(call.paths.project === null ? [] : ['--project', call.paths.project]),
    ...(names ?? []).flatMap((name) => ['--service', name]),
    ...call.flags.texts(options.profile).flatMap((profile) => ['--profile', profile]),
    ...(foreground ? ['--foreground'] : []),
    ...(call.flags.has(options.stderr) ? ['--stderr'] : []),
    ...(call.logLevel === null ? [] : ['--log-level', call.logLevel]),
    ...(call.dropPrivileges ? ['--drop-privileges'] : []),
  ];
}

/** The environment of the supervisor: the caller's, beside it the limit that the caller had. */
export function daemonEnvironment(call: Call): NodeJS.ProcessEnv {
  const { callersNofile } = interpreter;
  return { ...environmentOfOurs(call.env), ...(callersNofile !== null && { SYSG_NOFILE: callersNofile }) };
}
