import { refusals } from '../../errors.ts';
import { askRecords } from '../ask.ts';
import type { Call } from '../call.ts';
import { askedWords, matchedOf, meansSeveral } from '../names.ts';
import { options } from '../options.ts';
import { printable } from '../print/width.ts';
import { why as explain } from '../print/why.ts';
import { statusOrRest } from '../status-or-rest.ts';

/** The causal chain that brought a unit where it is, what it waits for, and what happens next; without a supervisor by what the files say. */
export async function why(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const status = await statusOrRest(call);
  const { advice } = status;
  if (!status.ok) return terminal.refuse(advice === null ? status.refusal : refusals.config(`${advice}\n${status.refusal.message}`));
  const { units } = status.snapshot;
  const words = askedWords(call);
  const named = await matchedOf(call, words, units);
  if (!named.ok) return terminal.refuse(named.refusal);
  const read = await askRecords(call, null);
  if (!read.ok) return terminal.refuse(read.refusal);
  const explained = units.filter(({ name }) => named.names.includes(name)).map((unit) => explain({ unit, units, records: read.records, nowMs: Date.now() }));
  if (flags.has(options.json)) {
    const all = explained.map((one) => ({ ...one, supervised: advice === null }));
    terminal.print(JSON.stringify(meansSeveral(words) ? all : all[0], null, 2));
    return 0;
  }
  if (advice !== null) terminal.print(printable(advice));
  for (const [index, { text }] of explained.entries()) for (const line of [...(index === 0 ? [] : ['']), ...text]) terminal.print(printable(line));
  return 0;
}
