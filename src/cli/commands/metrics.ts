import { parseCompat } from '../../web/metrics/compat.ts';
import { scrape } from '../../web/metrics/scrape.ts';
import { openTally } from '../../web/metrics/tally.ts';
import { supervisorsToWatch } from '../../web/supervisors.ts';
import type { Call } from '../call.ts';
import { besideEvery } from '../names.ts';
import { options } from '../options.ts';

/** Prints what `/metrics` serves, once. Without a supervisor `sysg_up 0`, which is a result too. */
export async function metrics(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const every = flags.has(options.every);
  const unfit = every ? besideEvery(call) : null;
  if (unfit !== null) return terminal.refuse(unfit);
  const format = flags.has(options.openMetrics) ? 'openmetrics' : 'prometheus';
  await terminal.write(await scrape(supervisorsToWatch(call, every).now().map((watched) => ({ ...watched, tally: openTally() })), { format, compat: parseCompat(flags.text(options.compat) ?? '') ?? [] }));
  return 0;
}
