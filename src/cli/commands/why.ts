import { refusals } from '../../errors.ts';
import { askRecords, askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';
import { unitNamed } from '../print/unit.ts';
import { printable } from '../print/width.ts';
import { why as explain } from '../print/why.ts';

/** The causal chain that brought a unit where it is, what it waits for, and what happens next; without a supervisor by what the files say. */
export async function why(call: Call): Promise<number> {
  const { flags, terminal, operands: [name = ''] } = call;
  const live = await askStatus(call);
  const isAlone = !live.ok && live.refusal.code === 'no-supervisor';
  const rest = isAlone ? await import('../offline.ts') : null;
  const status = rest === null ? live : rest.statusAtRest(call);
  const advice = rest === null ? null : rest.adviceAtRest(call);
  if (!status.ok) return terminal.refuse(advice === null ? status.refusal : refusals.config(`${advice}\n${status.refusal.message}`));
  const { units } = status.snapshot;
  const unit = unitNamed(units, name);
  if (unit === undefined) return terminal.refuse(refusals.unknownUnit(name));
  const read = await askRecords(call, null);
  if (!read.ok) return terminal.refuse(read.refusal);
  const explained = explain({ unit, units, records: read.records, nowMs: Date.now() });
  if (flags.has(options.json)) terminal.print(JSON.stringify({ ...explained, supervised: !isAlone }, null, 2));
  else for (const line of [...(advice === null ? [] : [advice]), ...explained.text]) terminal.print(printable(line));
  return 0;
}
