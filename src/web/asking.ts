import type { Context } from 'hono';
import { mostRecords } from '../cli/ask.ts';
import { unitNamed } from '../cli/print/unit.ts';
import { refusals } from '../errors.ts';
import { masked } from '../masked.ts';
import type { JournalRecord, UnitStatus } from '../wire/payloads.ts';
import type { Streams } from './event-stream.ts';
import type { Hub, HubInput } from './hub.ts';
import { json, problemResponse, refusalResponse, wholeNumber } from './route.ts';

export interface AskingInput extends HubInput { readonly hub: Hub; readonly streams: Streams; readonly readOnly: boolean }

export type Asking = ReturnType<typeof makeAsking>;

/** How the routes ask, and how they answer. */
export function makeAsking(input: AskingInput) {
  const { watched: { call }, configured, records, status, streams } = input;
  /** By all that is known to be secret by now: the configuration is looked at first. */
  const shown = <Value>(value: Value): Value => {
    configured();
    return masked(value, call.secrets.mask);
  };
  /** Runs `work` with the unit of the path, or answers that there is none. */
  const withUnit = async (context: Context, work: (unit: UnitStatus, units: readonly UnitStatus[]) => Promise<Response>): Promise<Response> => {
    const name = context.req.param('unit') ?? '';
    const answer = await status();
    if (!answer.ok) return refusalResponse(answer.refusal);
    const { units } = answer.snapshot;
    const unit = unitNamed(units, name);
    return unit === undefined ? refusalResponse(refusals.unknownUnit(name)) : work(unit, units);
  };
  /** The newest records of a unit, or of all, oldest first. */
  const recordsOf = async (unit: string | null, limit: number): Promise<readonly JournalRecord[]> => {
    const all = await records.all();
    return (unit === null ? all : all.filter((record) => record.unit === unit)).slice(limit === 0 ? all.length : -limit);
  };
  /** As many of them as the query says. */
  const history = async ({ req }: Context, unit: string | null): Promise<Response> => {
    const limit = wholeNumber(req.query('limit'), 500, mostRecords);
    if (limit === null) return problemResponse(400, `limit: expected a whole number up to ${mostRecords}`);
    return json(shown({ records: await recordsOf(unit, limit) }));
  };
  /** A stream of events, or that there are as many as there may be. */
  const stream = (serve: Parameters<Streams['open']>[0]): Response => (
    streams.open(serve) ?? problemResponse(503, `there are ${streams.count} streams already, as many as there may be`, 'streams'));
  return { ...input, shown, withUnit, recordsOf, history, stream };
}
