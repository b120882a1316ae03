import { constants } from 'node:os';
import { nearMiss } from '../../config/near-miss.ts';
import { refusals } from '../../errors.ts';
import { ask, askStatus, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';
import { outcomes, refuse, report } from '../report.ts';

/** Sends a signal to the leader of a unit. */
export async function signal(call: Call): Promise<number> {
  const unit = call.flags.text(options.service);
  if (unit === null) return call.terminal.refuse(refusals.usage('signal needs a unit: sysg signal -s UNIT SIGNAL\ntry: sysg signal --help'));
  const word = call.operands[0] ?? '';
  const name = signalName(word);
  if (name === null) {
    const near = nearMiss(word.toUpperCase().replace(/^SIG/, ''), Object.keys(constants.signals).map((known) => known.slice(3)));
    const hint = near === null ? '' : `, did you mean 'SIG${near}'?`;
    return call.terminal.refuse(refusals.usage(`expected a signal such as HUP, SIGUSR1 or 15, got "${word}"${hint}\ntry: sysg signal --help`));
  }
  const answer = await ask(call, { kind: 'signal', unit, signal: name });
  if (!answer.ok) return refuse(call, answer.refusal);
  const status = call.flags.has(options.json) ? await askStatus(call) : null;
  return report(call, { message: messageOf(answer.response), units: status?.ok ? outcomes(status.snapshot, unit) : [] });
}

/** `hup`, `SIGHUP` and `1` are the same. */
export function signalName(word: string): string | null {
  const all = Object.entries(constants.signals);
  if (/^[0-9]+$/.test(word)) return all.find(([, number]) => number === Number(word))?.[0] ?? null;
  const name = word.toUpperCase().replace(/^(?!SIG)/, 'SIG');
  return all.some(([known]) => known === name) ? name : null;
}
