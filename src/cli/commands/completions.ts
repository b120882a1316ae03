import { refusals } from '../../errors.ts';
import { askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { chooseConfigAtRest } from '../config-choice.ts';
import { options } from '../options.ts';
import { completionScript, isShell, shells } from '../print/completions.ts';

/** Prints the completion script of a shell; with `--units` the names that it completes. */
export async function completions(call: Call): Promise<number> {
  const shell = call.operands[0];
  if (call.flags.has(options.units)) {
    for (const name of await unitNames(call)) call.terminal.print(name);
    return 0;
  }
  if (!isShell(shell)) return call.terminal.refuse(refusals.usage(`expected ${shells.join(', ')}: sysg completions ${shells.join('|')}\ntry: sysg completions --help`));
  await call.terminal.write(completionScript(shell));
  return 0;
}

/** From the supervisor, else from the configuration; a completion has nobody to complain to. */
async function unitNames(call: Call): Promise<readonly string[]> {
  const status = await askStatus(call);
  if (status.ok) return status.snapshot.units.map(({ name }) => name);
  const config = chooseConfigAtRest(call);
  if (!config.ok) return [];
  const { loadConfigFor } = await import('../load-config.ts');
  const loaded = loadConfigFor(call, config.path);
  return loaded.ok ? loaded.config.services.map(({ name }) => name) : [];
}
