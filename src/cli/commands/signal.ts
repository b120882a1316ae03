import { refusals } from '../../errors.ts';
import { bareSignal, signalNamed, signalNames, signalNumbered } from '../../signals.ts';
import { nearMiss } from '../../words.ts';
import { ask, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';
import { refuse, reportUnits } from '../report.ts';

/** Sends a signal to the main process of a unit. */
export async function signal(call: Call): Promise<number> {
  const unit = call.flags.text(options.service);
  if (unit === null) return call.terminal.refuse(refusals.usage('signal needs a unit: sysg signal -s UNIT SIGNAL\ntry: sysg signal --help'));
  const word = call.operands[0] ?? '';
  const name = /^[0-9]+$/.test(word) ? signalNumbered(Number(word)) : signalNamed(word);
  if (name === null) {
    const near = nearMiss(bareSignal(word), signalNames.map(bareSignal));
    const hint = near === null ? '' : `, did you mean 'SIG${near}'?`;
    return call.terminal.refuse(refusals.usage(`expected a signal such as HUP, SIGUSR1 or 15, got "${word}"${hint}\ntry: sysg signal --help`));
  }
  const answer = await ask(call, { kind: 'signal', unit, signal: name });
  return answer.ok ? reportUnits(call, messageOf(answer.response), unit) : refuse(call, answer.refusal);
}
