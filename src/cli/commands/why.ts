import { refusals } from '../../errors.ts';
import { askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';
import { why as explain } from '../print/why.ts';
import { readRecords } from './events.ts';

/** The causal chain that brought a unit where it is, what it waits for, and what happens next. */
export async function why(call: Call): Promise<number> {
  const { flags, terminal, operands: [name = ''] } = call;
  const status = await askStatus(call);
  if (!status.ok) return terminal.refuse(status.refusal);
  const unit = status.snapshot.units.find((candidate) => candidate.name === name || candidate.hash === name);
  if (unit === undefined) return terminal.refuse(refusals.unknownUnit(name));
  const read = await readRecords(call, null);
  if (!read.ok) return terminal.refuse(read.refusal);
  const told = explain({ unit, records: read.records, nowMs: Date.now() });
  if (flags.has(options.json)) terminal.print(JSON.stringify(told, null, 2));
  else for (const sentence of told.text) terminal.print(sentence);
  return 0;
}
