import { supervisorPid } from '../cli/config-choice.ts';
import { journalRecord, statusSnapshot } from '../wire/payloads.ts';
import { list, record } from '../wire/shape.ts';
import { version } from '../../package.json';
import { makeAsking, type Asking, type AskingInput } from './asking.ts';
import { chartRoutes } from './chart-routes.ts';
import { drawMachine, presentStates } from './charts.ts';
import { connectionsTo, costOf } from './metrics/process-times.ts';
import { orderRoutes } from './order-routes.ts';
import { anything, json, refusalResponse, type Route } from './route.ts';
import { unitRoutes } from './unit-routes.ts';

/** Everything below /api/v1. */
export function makeRoutes(input: AskingInput): readonly Route[] {
  const asking = makeAsking(input);
  return [...supervisorRoutes(asking), ...unitRoutes(asking), ...chartRoutes(asking), ...orderRoutes(asking)];
}

/** All units together, and the supervisor itself. */
function supervisorRoutes({ watched: { call }, configured, hub, status, streams, readOnly, shown, history, stream }: Asking): readonly Route[] {
  return [
    {
      method: 'get', path: '/status', about: 'All units, as `sysg status --json` prints them', answer: statusSnapshot,
      run: async () => {
        const answer = await status();
        return answer.ok ? json(shown(answer.snapshot)) : refusalResponse(answer.refusal);
      },
    },
    {
      method: 'get', path: '/events',
      about: 'Server-sent events: `units` (rows that changed, all of them first), `record` (of the journal), `ticket`, `gone`, `gap`',
      answer: 'text/event-stream', run: async () => stream((sink) => hub.join(sink)),
    },
    {
      method: 'get', path: '/history', about: 'The newest records of the journal about all units, oldest first',
      query: { limit: 'at most 10000, default 500' }, answer: record({ records: list(journalRecord) }),
      run: (context) => history(context, null),
    },
    {
      method: 'get', path: '/supervisor', about: 'The supervisor itself: its state, its cost, its files, what is under way', answer: anything,
      run: async () => {
        const answer = await status();
        const pid = supervisorPid(call);
        const stage = answer.ok ? (answer.snapshot.supervisor ?? 'serving') : 'gone';
        const drawn = await drawMachine('supervisor');
        const state = stage === 'starting' ? 'serving' : stage;
        return json({
          stage, why: answer.ok ? null : answer.refusal.message, pid: answer.ok ? pid : null, cost: answer.ok && pid !== null ? costOf(pid) : null,
          connections: answer.ok ? connectionsTo(call.paths.socket) : null,
          server: { version, pid: process.pid, cost: costOf(process.pid), streams: streams.count, read_only: readOnly },
          state_directory: call.paths.stateDir, socket: call.paths.socket, log: call.paths.supervisorLog, config: configured().path,
          present: drawn === null || stage === 'gone' ? [] : presentStates(drawn, '', { phase: '', state }),
          ordered: (answer.ok ? answer.snapshot.units : []).flatMap(({ name, ordered, rollout, waits_for: waits = [] }) => (
            ordered === undefined && rollout === undefined && waits.length === 0 ? []
              : [{ unit: name, ordered: ordered ?? null, rollout: rollout?.step ?? null, waits_for: waits.map(({ unit }) => unit) }])),
          tickets: hub.tickets.all(),
        });
      },
    },
  ];
}
