import { refusals } from '../../errors.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';
import { spawnChild } from '../spawn-child.ts';

/** systemg's former spelling of `start --parent-pid`; takes the name as it is. */
export async function spawn(call: Call): Promise<number> {
  const name = call.flags.text(options.name);
  if (name === null || call.command === null) {
    return call.terminal.refuse(refusals.usage(`spawn needs ${name === null ? '--name NAME' : 'a command'}\ntry: sysg spawn --help`));
  }
  call.terminal.complain('Warning: `sysg spawn` is deprecated. Use `sysg start --parent-pid <pid> --name <name> [--ttl <seconds>] -- <command...>`.');
  return spawnChild(call, call.command, name);
}
