import { refusals } from '../../errors.ts';
import { askRecords, askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';
import { unitNamed } from '../print/unit.ts';
import { why as explain } from '../print/why.ts';

/** The causal chain that brought a unit where it is, what it waits for, and what happens next. */
export async function why(call: Call): Promise<number> {
  const { flags, terminal, operands: [name = ''] } = call;
  const status = await askStatus(call);
  if (!status.ok) return terminal.refuse(status.refusal);
  const unit = unitNamed(status.snapshot.units, name);
  if (unit === undefined) return terminal.refuse(refusals.unknownUnit(name));
  const read = await askRecords(call, null);
  if (!read.ok) return terminal.refuse(read.refusal);
  const explained = explain({ unit, records: read.records, nowMs: Date.now() });
  for (const line of flags.has(options.json) ? [JSON.stringify(explained, null, 2)] : explained.text) terminal.print(line);
  return 0;
}
