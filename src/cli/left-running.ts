import { existsSync } from 'node:fs';
import { besideAdvice, chooseConfig, commandStart, configFlags, isNoConfig, isSame, otherNamed, supervisorPid, within } from './config-choice.ts';
import { configPaths, shownConfigPath } from '../config-path.ts';
import { pidText, refusals, type Refusal } from '../errors.ts';
import { isAlive } from '../process/identity.ts';
import { readLedger } from '../state/ledger-read.ts';
import { isServed } from '../state/lock-owner.ts';
import { notedConfig } from '../state/notes.ts';
import type { Call } from './call.ts';
import { options } from './options.ts';
import { isRunning } from './presence.ts';

/** Refuses to begin a supervisor for a command alone where services of a configuration outlived theirs, for it would end them. */
export function servicesLeftRunning(call: Call): Refusal | null {
  const left = leftRunning(call);
  if (left === null) return null;
  return refusals.refused(`${left.text}: nothing was started. First have a supervisor take over what runs: ${commandOf(call, 'start --daemonize', left.config)}; or end it: ${commandStart(call)}stop`);
}

/** As `servicesLeftRunning`, for a supervisor with another file. A file that was moved, or is reached another way, takes over what runs. */
export function servicesOfAnother(call: Call, path: string): Refusal | null {
  const left = leftRunning(call);
  const chosen = within(call, path);
  if (left === null || isSame(left.config, chosen) || !configPaths(left.config).every((file) => existsSync(file))) return null;
  const [used, other] = [left.config, chosen].map(shownConfigPath);
  return refusals.refused(`${left.text}, and a supervisor with ${other} would end what it does not name: nothing was started. To have a supervisor take over what runs: ${
    commandOf(call, 'start --daemonize', left.config)}; to end what runs of ${used}: ${commandOf(call, 'stop', left.config)}; ${besideAdvice(call, chosen)}`);
}

/** Refuses a command for the file that `-c` names where another one runs, or its services outlived their supervisor. Null: nothing runs. */
export async function otherRuns(call: Call): Promise<Refusal | null> {
  const other = otherNamed(call);
  if (other === null) return null;
  const { used, chosen } = other;
  const supervised = isRunning(call) === true || await isServed(call.paths.socket);
  const left = supervised ? null : leftRunning(call);
  if (!supervised && left === null) return null;
  if (left !== null) return refusals.refused(`${left.text}, and -c names ${shownConfigPath(chosen)}: nothing was done. To mean what runs, name its file:${configFlags(left.config)}`);
  const supervisor = `the supervisor${pidText(supervisorPid(call))}`;
  return refusals.refused(`${supervisor} runs ${shownConfigPath(used)}, not ${shownConfigPath(chosen)}: nothing was done. To mean what runs, leave out -c, or name that file:${
    configFlags(used)}`);
}

/** The services of a configuration that outlived their supervisor. Null: there are none. */
export function leftRunning(call: Call): { readonly config: string; readonly names: readonly string[]; readonly text: string } | null {
  const { entries, meta } = readLedger(call.paths.ledger, { onProblem: call.terminal.warn, quarantine: false });
  const config = notedConfig(meta);
  if (config === null || isNoConfig(call, config)) return null;
  const left = [...entries].flatMap(([name, { record: { process } }]) => (process?.identity != null && isAlive(process.identity) ? [{ name, pid: process.identity.pid }] : []));
  const shown = left.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
  return left.length === 0 ? null : { config, names: left.map(({ name }) => name), text: `${shown} of ${shownConfigPath(config)} outlived the supervisor` };
}

/** As `leftRunning`, but for what is of another file than the one that `-c` names. */
export function leftOfNamed(call: Call): ReturnType<typeof leftRunning> {
  const left = leftRunning(call);
  const chosen = call.flags.has(options.config) ? chooseConfig(call) : null;
  return left !== null && chosen?.ok === true && !isSame(left.config, within(call, chosen.path)) ? null : left;
}

function commandOf(call: Call, words: string, config: string): string {
  return `${commandStart(call)}${words}${configFlags(config)}`;
}
