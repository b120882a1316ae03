import type { ReloadPlan } from '../../wire/payloads.ts';
import displayWidth, { padded } from '../../width.ts';
import { counted } from '../../words.ts';
import { ask, askFor, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { namedConfig } from '../config-choice.ts';
import { options, waitTimeoutMs } from '../options.ts';
import { failureOf, unitsToChange } from '../reloaded.ts';
import { refuse, refuseUnits, reportUnits, showsProgress, withProgress } from '../report.ts';

/** Makes the supervisor apply what changed in the configuration, and nothing else. */
export async function reload(call: Call): Promise<number> {
  const config = namedConfig(call);
  if (!config.ok) return refuse(call, config.refusal);
  const waits = call.flags.has(options.untilUp) || showsProgress(call);
  const before = waits ? await unitsToChange(call, config.path) : null;
  const answer = await withProgress(call, { expects: () => false, settlesMs: waitTimeoutMs(call) }, () => ask(call, { kind: 'reload', config: config.path }));
  if (!answer.ok) return refuse(call, answer.refusal);
  const message = messageOf(answer.response);
  const failure = before === null ? null : await failureOf(call, before);
  return failure === null ? reportUnits(call, message, null) : refuseUnits(call, { ok: false, done: message, ...failure }, null);
}

/** Shows what a reload would touch, and why. Changes nothing. */
export async function plan(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const config = namedConfig(call);
  if (!config.ok) return terminal.refuse(config.refusal);
  const answer = await askFor(call, { kind: 'plan', config: config.path }, 'plan');
  if (!answer.ok) return terminal.refuse(answer.refusal);
  const { plan: found } = answer.response;
  if (flags.has(options.json)) terminal.print(JSON.stringify(found, null, 2));
  else for (const line of planLines(found)) terminal.print(line);
  return 0;
}

/** `restart  web  changed: env`, lined up; what stays is only counted. */
function planLines(found: ReloadPlan): readonly string[] {
  const rows = (['start', 'restart', 'update', 'stop'] as const).flatMap((what) => found[what].map(({ unit, why }) => ({ what, unit, why })));
  const width = Math.max(0, ...rows.map(({ unit }) => displayWidth(unit)));
  return [
    ...rows.map(({ what, unit, why }) => `${what.padEnd(8)} ${padded(unit, width)}  ${why}`),
    `${rows.length === 0 ? 'nothing would change: ' : ''}${counted(found.unchanged.length, 'unit')} unchanged`,
  ];
}
