import { configFlags, isNoConfig } from './config-choice.ts';
import { shownConfigPath } from '../config-path.ts';
import { refusals, type Refusal } from '../errors.ts';
import { isAlive } from '../process/identity.ts';
import { readLedger } from '../state/ledger-read.ts';
import { notedConfig } from '../state/notes.ts';
import type { Call } from './call.ts';

/** Refuses to begin a supervisor for a command alone where services of a configuration outlived theirs, for it would end them. */
export function servicesLeftRunning(call: Call): Refusal | null {
  const { paths, terminal, system } = call;
  const { entries, meta } = readLedger(paths.ledger, { onProblem: terminal.warn, quarantine: false });
  const config = notedConfig(meta);
  if (config === null || isNoConfig(call, config)) return null;
  const left = [...entries].flatMap(([name, { record: { process } }]) => (process?.identity != null && isAlive(process.identity) ? [`${name} (pid ${process.identity.pid})`] : []));
  if (left.length === 0) return null;
  const goOn = `sysg ${system ? '--sys ' : ''}${paths.project === null ? '' : `-p ${paths.project} `}start --daemonize${configFlags(config)}`;
  return refusals.refused(`${left.join(', ')} of ${shownConfigPath(config)} outlived the supervisor: nothing was started. First have a supervisor take over what runs: ${goOn}`);
}
