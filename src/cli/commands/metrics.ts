import { parseCompat } from '../../web/metrics/compat.ts';
import { scrape } from '../../web/metrics/scrape.ts';
import { openTally } from '../../web/metrics/tally.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';

/** Prints what `/metrics` serves, once. Without a supervisor `sysg_up 0`, which is a result too. */
export async function metrics(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const format = flags.has(options.openMetrics) ? 'openmetrics' : 'prometheus';
  await terminal.write(await scrape(call, openTally(), { format, compat: parseCompat(flags.text(options.compat) ?? '') ?? [] }));
  return 0;
}
