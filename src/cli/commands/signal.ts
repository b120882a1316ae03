import { refusals } from '../../errors.ts';
import { bareSignal, signalNamed, signalNames, signalNumbered } from '../../signals.ts';
import { nearMiss } from '../../words.ts';
import { ask, askInTurn, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { namedUnits } from '../names.ts';
import { options } from '../options.ts';
import { refuse, refuseUnits, reportUnits } from '../report.ts';

/** Sends a signal, the last of the words, to the main process of each unit that is named. */
export async function signal(call: Call): Promise<number> {
  const { operands, flags } = call;
  const word = operands.at(-1) ?? '';
  const name = /^[0-9]+$/.test(word) ? signalNumbered(Number(word)) : signalNamed(word);
  if (name === null) {
    const near = nearMiss(bareSignal(word), signalNames.map(bareSignal));
    const hint = near === null ? '' : `, did you mean 'SIG${near}'?`;
    return call.terminal.refuse(refusals.usage(`expected a signal such as HUP, SIGUSR1 or 15, got "${word}"${hint}\ntry: sysg signal --help`));
  }
  const otherwise = flags.has(options.config) ? await (await import('../left-running.ts')).otherRuns(call) : null;
  if (otherwise !== null) return refuse(call, otherwise);
  const named = await namedUnits(call, [...new Set([...operands.slice(0, -1), ...flags.texts(options.service)])]);
  if (!named.ok) return refuse(call, named.refusal);
  const names = named.names ?? [];
  const answer = await askInTurn(names, (unit) => ask(call, { kind: 'signal', unit, signal: name }));
  if (answer.ok) return reportUnits(call, messageOf(answer.response), names);
  return names.length === 1 ? refuse(call, answer.refusal) : refuseUnits(call, answer, names);
}
