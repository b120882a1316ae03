import { isControlError } from '../../control/brief-client.ts';
import { sendCommand } from '../../control/client.ts';
import { refusals } from '../../errors.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';
import { defaultName, plainName } from '../../config/staged-unit.ts';

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

/** systemg's former spelling of `start --parent-pid`; takes the name as it is. */
export async function spawn(call: Call): Promise<number> {
  const name = call.flags.text(options.name);
  if (name === null || call.command === null) {
    return call.terminal.refuse(refusals.usage(`spawn needs ${name === null ? '--name NAME' : 'a command'}\ntry: sysg spawn --help`));
  }
  call.terminal.complain('Warning: `sysg spawn` is deprecated. Use `sysg start --parent-pid <pid> --name <name> [--ttl <seconds>] -- <command...>`.');
  return spawnChild(call, call.command, name);
}

async function spawnChild(call: Call, command: readonly string[], name: string): Promise<number> {
  const { flags, terminal, paths, logLevel } = call;
  const refuse = (why: string): number => terminal.refuse(refusals.refused(`Failed to communicate with supervisor: ${why}`));
  const ttl = flags.text(options.ttl);
  try {
    const parentPid = Number(flags.text(options.parentPid) ?? process.ppid);
    const response = await sendCommand({ kind: 'spawn', parentPid, name, command, ttl: ttl === null ? null : Number(ttl), logLevel }, { socket: paths.socket });
    if (response.kind !== 'spawned') return refuse(`expected a pid, the supervisor answered with ${response.kind}`);
    terminal.print(String(response.pid));
    return 0;
  } catch (error) {
    if (isControlError(error)) return refuse(error.message);
    throw error;
  }
}
