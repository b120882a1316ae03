import { ControlError, sendCommand } from '../control/client.ts';
import { refusals } from '../errors.ts';
import type { Call } from './call.ts';
import { options } from './options.ts';
import { defaultName, plainName } from './units.ts';

/** `start --parent-pid PID -- COMMAND...`: prints the pid of the child. */
export async function startChild(call: Call): Promise<number> {
  const { flags, terminal, command } = call;
  if (command === null) {
    return terminal.refuse(refusals.runtime('child start mode requires a command; use `sysg start --parent-pid <pid> --name <name> -- <command...>`'));
  }
  if (flags.has(options.child) && !flags.has(options.parentPid)) return terminal.refuse(refusals.runtime('--child requires --parent-pid'));
  const name = flags.text(options.name);
  return spawnChild(call, command, name === null ? defaultName(command) : plainName(name));
}

export async function spawnChild(call: Call, command: readonly string[], name: string): Promise<number> {
  const { flags, terminal } = call;
  const ttl = flags.text(options.ttl);
  try {
    const response = await sendCommand({
      kind: 'spawn', parentPid: Number(flags.text(options.parentPid) ?? process.ppid), name, command,
      ttl: ttl === null ? null : Number(ttl), logLevel: call.logLevel,
    }, { socket: call.paths.socket });
    if (response.kind !== 'spawned') return refuse(call, `expected a pid, the supervisor answered with ${response.kind}`);
    terminal.print(String(response.pid));
    return 0;
  } catch (error) {
    if (error instanceof ControlError) return refuse(call, error.message);
    throw error;
  }
}

function refuse({ terminal }: Call, why: string): number {
  return terminal.refuse(refusals.refused(`Failed to communicate with supervisor: ${why}`));
}
