import { ask, messageOf, unitOrder } from '../cli/ask.ts';
import type { Call } from '../cli/call.ts';
import { bareSignal, signalNamed, signalNames } from '../signals.ts';
import { didYouMean } from '../words.ts';
import { list, oneOf, record, string, type Shaped } from '../wire/shape.ts';
import type { Request } from '../wire/requests.ts';

/** What the page can order. `run` starts a cron unit now; a reload concerns no single unit. */
export const act = record({ verb: oneOf('start', 'stop', 'restart', 'run', 'reload', 'signal') }, { units: list(string), signal: string });

export interface Act extends Shaped<typeof act> {}

export interface Prepared { readonly units: readonly string[]; carryOut(): Promise<{ readonly ok: boolean; readonly message: string }> }

/** Checks an order against the units there are: what is wrong with it as a sentence, or how it is carried out. */
export function prepareAct(call: Call, { verb, units = [], signal }: Act, known: ReadonlyMap<string, string>): Prepared | string {
  if (verb === 'reload') return units.length > 0 ? 'units: a reload reads the whole file, expected none' : { units, carryOut: () => order(call, { kind: 'reload', config: null }) };
  if (units.length === 0) return `units: expected the units to ${verb}`;
  const unknown = units.find((unit) => !known.has(unit));
  if (unknown !== undefined) return `units: '${unknown}' is no unit of this supervisor${didYouMean(unknown, [...known.keys()])}`;
  if (verb === 'run') {
    const other = units.find((unit) => known.get(unit) !== 'cron');
    if (other !== undefined) return `units: '${other}' is no cron unit; expected verb start for it`;
  }
  const name = signalNamed(signal ?? '');
  if (verb === 'signal' && name === null) {
    const meant = didYouMean(bareSignal(signal ?? ''), signalNames.map(bareSignal));
    return `signal: expected a name such as HUP or SIGUSR1, got '${signal ?? ''}'${meant}`;
  }
  const requestFor = (unit: string): Request => (verb === 'signal' ? { kind: 'signal', unit, signal: name ?? '' } : unitOrder(verb === 'run' ? 'start' : verb, unit));
  return {
    units,
    carryOut: async () => {
      const answers = await Promise.all(units.map((unit) => order(call, requestFor(unit))));
      return { ok: answers.every(({ ok }) => ok), message: answers.map(({ message }) => message).join('\n') };
    },
  };
}

async function order(call: Call, request: Request): Promise<{ readonly ok: boolean; readonly message: string }> {
  const answer = await ask(call, request);
  return answer.ok ? { ok: true, message: messageOf(answer.response) } : { ok: false, message: answer.refusal.message };
}
