import type { ServiceSpec, Settlement } from '../../machines/types.ts';
import { refusals } from '../errors.ts';
import type { RequestOf } from '../wire/requests.ts';
import { acceptance, type Response } from '../wire/responses.ts';
import { didYouMean } from '../words.ts';

/** An answer in words. */
export type Sentence = Extract<Response, { kind: 'message' | 'error' }>;

/** The message when all went well, else one error that names each unit that did not, and why; on request with the settlement of every unit as data beside it. */
export function collect({ kind, settlements }: RequestOf<'start' | 'stop' | 'restart'>, settled: readonly Settlement[], success: string): Sentence {
  const failed = settled.filter((settlement) => settlement.error !== null);
  const notes = settled.flatMap(({ unit, note }) => (note === undefined ? [] : [`${unit}: ${note}`]));
  // As in 0.33.0, what fails of a restart is the start.
  const verb = kind === 'stop' ? 'stop' : 'start';
  const answer = failed.length === 0
    ? message([success, ...notes].join('; '))
    : error(failed.map(({ unit, error: why }) => `Failed to ${verb} service '${unit}': ${why}`).join('; '));
  return settlements === true ? {
    ...answer, units: settled.map(({ unit, result, error: why, note }) => ({ unit, result, ...(why !== null && { error: why }), ...(note !== undefined && { note }) })),
  } : answer;
}

export function accepted(order: string, service: string | null): Sentence {
  return message(acceptance(`${order} of ${service === null ? 'all services' : `service '${service}'`}`));
}

export function message(text: string): Sentence {
  return { kind: 'message', text };
}

export function error(text: string): Sentence {
  return { kind: 'error', text };
}

export function unknown(service: string, present: readonly ServiceSpec[]): Sentence {
  return error(refusals.unknownUnit(service, didYouMean(service, present.map(({ name }) => name))).message);
}
