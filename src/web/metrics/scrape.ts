import { askFor, askRecords, askStatus, mostRecords } from '../../cli/ask.ts';
import { supervisorPid } from '../../cli/hints.ts';
import type { Call } from '../../cli/call.ts';
import { version } from '../../../package.json';
import { compatFamilies, type CompatName } from './compat.ts';
import { expose, type Format } from './exposition.ts';
import { families } from './families.ts';
import type { Tally } from './tally.ts';

/** Everything in one text, measured now. Without a supervisor `sysg_up` is 0 and the rest is missing. */
export async function scrape(call: Call, tally: Tally, options: { readonly format: Format; readonly compat: readonly CompatName[] }): Promise<string> {
  const answer = await askStatus(call);
  const snapshot = answer.ok ? answer.snapshot : null;
  if (snapshot !== null) tally.take(await newRecords(call, tally), snapshot);
  const own = families({ snapshot, supervisorPid: supervisorPid(call), tally, version });
  return expose([...own, ...compatFamilies(snapshot, options.compat)], options.format);
}

async function newRecords(call: Call, { lastSeq }: Tally): Promise<Parameters<Tally['take']>[0]> {
  if (lastSeq === 0) {
    const all = await askRecords(call, null);
    return all.ok ? all.records : [];
  }
  const answer = await askFor(call, { kind: 'history', unit: null, limit: mostRecords, since: lastSeq }, 'history');
  return answer.ok ? answer.response.records : [];
}
