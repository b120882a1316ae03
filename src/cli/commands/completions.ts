import { refusals } from '../../errors.ts';
import { askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { configuredUnits } from '../names.ts';
import { options } from '../options.ts';
import { completionScript, shells } from '../print/completions.ts';

/** Prints the completion script of a shell; with `--units` the names that it completes. */
export async function completions(call: Call): Promise<number> {
  if (call.flags.has(options.units)) {
    // From the supervisor, else from the configuration; while a word is completed, mistakes in either are not reported.
    const status = await askStatus(call);
    for (const { name } of status.ok ? status.snapshot.units : await configuredUnits(call)) call.terminal.print(name);
    return 0;
  }
  const shell = shells.find((known) => known === call.operands[0]);
  if (shell === undefined) return call.terminal.refuse(refusals.usage(`expected ${shells.join(', ')}: sysg completions ${shells.join('|')}\ntry: sysg completions --help`));
  await call.terminal.write(completionScript(shell));
  return 0;
}
