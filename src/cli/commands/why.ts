import { refusals } from '../../errors.ts';
import { askRecords, statusOrRest } from '../ask.ts';
import type { Call } from '../call.ts';
import { commandStart, warnAboutOtherConfig } from '../config-choice.ts';
import { askedWords, matchedOf, meansSeveral } from '../names.ts';
import { options } from '../options.ts';
import { printable, sentenceLines } from '../../width.ts';
import { why as explain } from '../print/why.ts';
import { naturally } from '../../words.ts';

/** The causal chain that brought a unit where it is, what it waits for, and what happens next; without a supervisor by what the files say. */
export async function why(call: Call): Promise<number> {
  const { flags, terminal } = call;
  warnAboutOtherConfig(call);
  const status = await statusOrRest(call);
  const { advice } = status;
  if (!status.ok) return terminal.refuse(advice === null ? status.refusal : refusals.config(`${advice}\n${status.refusal.message}`));
  const units = naturally(status.snapshot.units, ({ name }) => name);
  const words = askedWords(call);
  // What has failed before what is only not well.
  const unwell = ['failing', 'degraded'].flatMap((health) => units.filter((unit) => unit.health === health).map(({ name }) => name));
  const named = words.length === 0 ? { ok: true, names: unwell } as const : await matchedOf(call, words, units);
  if (!named.ok) return terminal.refuse(named.refusal);
  const read = await askRecords(call, null);
  if (!read.ok) return terminal.refuse(read.refusal);
  const asked = named.names.flatMap((name) => units.find((unit) => unit.name === name) ?? []);
  const explained = asked.map((unit) => explain({ unit, units, records: read.records, nowMs: Date.now(), command: commandStart(call) }));
  if (flags.has(options.json)) {
    const all = explained.map((one) => ({ ...one, supervised: advice === null }));
    terminal.print(JSON.stringify(words.length === 0 || meansSeveral(words) ? all : all[0], null, 2));
    return 0;
  }
  const nothing = explained.length === 0 ? [`No unit is failing or degraded. To have another one explained: ${commandStart(call)}why NAME`] : [];
  const sentences = explained.flatMap(({ text }, index) => [...(index === 0 ? [] : ['']), ...text]);
  for (const sentence of [...(advice === null ? [] : [advice]), ...nothing, ...sentences]) for (const line of sentenceLines(printable(sentence), terminal.columns)) terminal.print(line);
  return 0;
}
