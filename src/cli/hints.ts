import { isControlError, readConfigHint, readSupervisorPid } from '../control/brief-client.ts';
import { shellWord } from '../words.ts';
import type { Call } from './call.ts';

/** How a command in a sentence begins: with what has it reach the supervisor of this call from any directory. */
export function commandStart({ host, system, paths: { project } }: Pick<Call, 'host' | 'system' | 'paths'>): string {
  return `sysg ${host === null ? '' : `--host ${shellWord(host)} `}${system ? '--sys ' : ''}${project === null ? '' : `-p ${shellWord(project)} `}`;
}

/** For sentences only: null when the pid file cannot be read or holds no pid. */
export function supervisorPid({ paths }: Call): number | null {
  return unlessUnreadable(() => readSupervisorPid(paths.stateDir));
}

/** The configuration of the running supervisor, by the hint that the supervisor left; null when the hint cannot be read. */
export function configInUse({ paths }: Call): string | null {
  return unlessUnreadable(() => readConfigHint(paths.stateDir));
}

function unlessUnreadable<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    if (isControlError(error)) return null;
    throw error;
  }
}
