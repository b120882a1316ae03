import type { ReloadPlan } from '../../wire/payloads.ts';
import { refusals } from '../../errors.ts';
import { ask } from '../ask.ts';
import type { Call } from '../call.ts';
import { namedConfig } from '../config-choice.ts';
import { options } from '../options.ts';

/** Tells what a reload would touch, and why. Changes nothing. */
export async function plan(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const config = namedConfig(call);
  if (!config.ok) return terminal.refuse(config.refusal);
  const answer = await ask(call, { kind: 'plan', config: config.path });
  if (!answer.ok) return terminal.refuse(answer.refusal);
  const { response } = answer;
  if (response.kind !== 'plan') return terminal.refuse(refusals.socket(`expected a plan, the supervisor answered with ${response.kind}`));
  if (flags.has(options.json)) terminal.print(JSON.stringify(response.plan, null, 2));
  else for (const line of planLines(response.plan)) terminal.print(line);
  return 0;
}

/** `restart  web  changed: env`, lined up; what stays is only counted. */
export function planLines(reloadPlan: ReloadPlan): readonly string[] {
  const rows = (['start', 'restart', 'update', 'stop'] as const).flatMap((what) => reloadPlan[what].map(({ unit, why }) => ({ what, unit, why })));
  const width = Math.max(0, ...rows.map(({ unit }) => unit.length));
  const same = reloadPlan.unchanged.length;
  const rest = `${rows.length === 0 ? 'nothing would change: ' : ''}${same} ${same === 1 ? 'unit' : 'units'} unchanged`;
  return [...rows.map(({ what, unit, why }) => `${what.padEnd(8)} ${unit.padEnd(width)}  ${why}`), rest];
}
