import { ask, askStatus, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { namedConfig } from '../config-choice.ts';
import { options } from '../options.ts';
import { withProgress } from '../progress.ts';
import { outcomes, refuse, report } from '../report.ts';

/** Has the supervisor take over what changed in the configuration, and nothing else. */
export async function reload(call: Call): Promise<number> {
  const config = namedConfig(call);
  if (!config.ok) return refuse(call, config.refusal);
  const answer = await withProgress(call, { expects: () => false, settlesMs: 60_000 }, () => ask(call, { kind: 'reload', config: config.path }));
  if (!answer.ok) return refuse(call, answer.refusal);
  const status = call.flags.has(options.json) ? await askStatus(call) : null;
  return report(call, { message: messageOf(answer.response), units: status?.ok ? outcomes(status.snapshot, null) : [] });
}
