import { askFor, askRecords, askStatus, mostRecords } from '../../cli/ask.ts';
import type { Call } from '../../cli/call.ts';
import { supervisorPid } from '../../cli/config-choice.ts';
import type { Watched } from '../supervisors.ts';
import { version } from '../../../package.json';
import { compatFamilies, type CompatName } from './compat.ts';
import { expose, together, type Family, type Format, type Sample } from './exposition.ts';
import { families } from './families.ts';
import type { Tally } from './tally.ts';

/** A supervisor, and what was counted of it before. */
export interface Scraped extends Watched { readonly tally: Tally }

/** Everything in one text, measured now. Where there are several supervisors each sample has the project of its own as a label. */
export async function scrape(
  scraped: readonly Scraped[],
  { format, compat }: { readonly format: Format; readonly compat: readonly CompatName[] },
): Promise<string> {
  const labelsOf = (project: string): Sample['labels'] => (scraped.length > 1 ? { project } : {});
  const groups = await Promise.all(
    scraped.map(async ({ name, call, tally }) => ({ labels: labelsOf(name), families: await measure(call, tally, compat) })),
  );
  return expose(together(groups), format);
}

/** Without a supervisor `sysg_up` is 0 and the rest is missing. */
async function measure(call: Call, tally: Tally, compat: readonly CompatName[]): Promise<readonly Family[]> {
  const answer = await askStatus(call);
  const snapshot = answer.ok ? answer.snapshot : null;
  if (snapshot !== null) tally.take(await newRecords(call, tally), snapshot);
  const own = families({ snapshot, supervisorPid: supervisorPid(call), tally, version });
  return [...own, ...compatFamilies({ snapshot, tally }, compat)];
}

/** All records where the last that was counted is not there: after a purge the journal begins anew. */
async function newRecords(call: Call, tally: Tally): Promise<Parameters<Tally['take']>[0]> {
  const { last } = tally;
  if (last !== null) {
    const answer = await askFor(call, { kind: 'history', unit: null, limit: mostRecords, since: last.seq - 1 }, 'history');
    if (!answer.ok) return [];
    const { records } = answer.response;
    const [found] = records;
    // Of more than are asked for the oldest are missing.
    if (found !== undefined && (found.seq > last.seq || found.at === last.at)) return records;
    tally.forgetJournal();
  }
  const all = await askRecords(call, null);
  return all.ok ? all.records : [];
}
