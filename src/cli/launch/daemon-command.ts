import { join } from 'node:path';
import { parseDuration } from '../../words.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';

/** Milliseconds that `start --daemonize` waits for the units. */
export const defaultWaitMs = 60_000;

/** The argument vector of the supervisor. Small semi-spaces keep the process small, so that a spawn, which copies page tables, is fast. */
export function daemonCommand(call: Call, configPath: string, foreground: boolean): string[] {
  const service = call.flags.text(options.service);
  return [
    process.execPath, '--max-semi-space-size=1', join(import.meta.dirname, 'daemon.js'),
    '--config', configPath,
    '--mode', call.system ? 'sys' : 'user',
    ...(service === null ? [] : ['--service', service]),
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

/**
 * The environment of the supervisor. What makes Node itself slow is moved out of its way and given back to services;
 * what an outer supervisor set for this process is not for the inner one.
 */
export function daemonEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_HANDED_ON.has(name)));
  const certificates = env['NODE_EXTRA_CA_CERTS'];
  return certificates === undefined ? rest : { ...rest, SYSG_NODE_EXTRA_CA_CERTS: certificates };
}

const NOT_HANDED_ON = new Set([
  'NODE_EXTRA_CA_CERTS', 'SYSG_EXEC_FD', 'SYSG_GUARDIAN', 'SYSG_AGAIN', 'SYSG_ASKED', 'SYSG_READY_FD', 'SYSG_LIFELINE_FD',
]);
