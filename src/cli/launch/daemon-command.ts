import { join } from 'node:path';
import { environmentOfOurs } from '../../surroundings.ts';
import { parseDuration } from '../../words.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';

/** Milliseconds that `start --daemonize` waits for the units. */
export const defaultWaitMs = 60_000;

/** Newer Node can be kept from opening its debugger on SIGUSR1 from the first moment; where it cannot, our handler does from its second. */
const deafToDebuggers = process.allowedNodeEnvironmentFlags.has('--disable-sigusr1');

/** The argument vector of the supervisor. Small semi-spaces keep the process small, so that a spawn, which copies page tables, is fast. */
export function daemonCommand(call: Call, configPath: string, { names, foreground }: { readonly names: readonly string[] | null; readonly foreground: boolean }): string[] {
  return [
    process.execPath, '--max-semi-space-size=1', ...(deafToDebuggers ? ['--disable-sigusr1'] : []), join(import.meta.dirname, 'daemon.js'),
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

export function waitTimeoutMs(call: Call): number {
  const text = call.flags.text(options.waitTimeout);
  const parsed = text === null ? null : parseDuration(text);
  return parsed?.ok ? parsed.value : defaultWaitMs;
}

/** The environment of the supervisor: the caller's, beside it what the launcher found. */
export function daemonEnvironment(call: Call): NodeJS.ProcessEnv {
  const softNofile = process.env['SYSG_NOFILE'];
  return { ...environmentOfOurs(call.env), ...(softNofile !== undefined && { SYSG_NOFILE: softNofile }) };
}
