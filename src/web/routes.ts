import type { Context } from 'hono';
import { askFor, mostRecords, type StatusAnswer } from '../cli/ask.ts';
import { supervisorPid } from '../cli/hints.ts';
import { unitNamed } from '../cli/print/unit.ts';
import { why } from '../cli/print/why.ts';
import { refusals } from '../errors.ts';
import { masked } from '../masked.ts';
import { simulationJson } from '../simulate/report.ts';
import { inspectPayload, journalRecord, reloadPlan, statusSnapshot, type JournalRecord, type UnitStatus } from '../wire/payloads.ts';
import { count, isRecord, list, nullable, number, record, string, type Shape } from '../wire/shape.ts';
import { version } from '../../package.json';
import { act, prepareAct, type Act } from './acts.ts';
import { countArrows, drawGraph, drawMachine, presentStates, stepsAlong, type ChartStep, type DrawnMachine } from './charts.ts';
import type { Streams } from './event-stream.ts';
import type { Hub } from './hub.ts';
import { maskedSpec, type Configured } from './mask.ts';
import { connectionsTo, costOf } from './metrics/process-times.ts';
import { problemResponse, refusalResponse } from './problem.ts';
import type { Records } from './records.ts';
import { rehearsal, rehearse, type Rehearsal } from './rehearsal.ts';
import type { Watched } from './supervisors.ts';
import { ticket } from './tickets.ts';
import { rowOf, unitRow } from './unit-row.ts';
import { followLogs, lastLogLines, streamsNamed, type LogChoice } from './unit-logs.ts';

/** One thing that can be asked of the server, as it is served and as it is described. */
export interface Route {
  readonly method: 'get' | 'post';
  /** `/units/{unit}/why`, below /api/v1. */
  readonly path: string;
  readonly about: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Shape<unknown>;
  /** Of the answer; a text is its media type. */
  readonly answer: Shape<unknown> | string;
  /** Of an answer that is not 200. */
  readonly status?: number;
  run(context: Context): Promise<Response>;
}

export interface RoutesInput {
  readonly watched: Watched;
  readonly configured: () => Configured;
  readonly hub: Hub;
  readonly records: Records;
  readonly status: () => Promise<StatusAnswer>;
  readonly streams: Streams;
  readonly readOnly: boolean;
}

interface FoundChart {
  readonly unit: UnitStatus;
  readonly machine: string;
  readonly drawn: DrawnMachine;
  readonly ofUnit: readonly JournalRecord[];
  readonly steps: readonly ChartStep[];
  readonly newest: JournalRecord | undefined;
}

const logLine = record({ at: nullable(string), stream: string, line: string });
const explained = record({ unit: string, phase: string, text: list(string), causes: list(journalRecord) });
const marked = record({ machine: string, present: list(string), counts: list(record({ title: string, count })), steps: list(record({ seq: count, arrows: list(string) })), arrows: list(record({ title: string, from: nullable(string), to: nullable(string), lines: list(string) })) });
const samples = record({ window: string, samples: list(record({ at: number, cpu: number, rss: number })) });
const anything: Shape<unknown> = () => null;

export function makeRoutes({ watched: { call }, configured, hub, records, status, streams, readOnly }: RoutesInput): readonly Route[] {
  const { mask } = call.secrets;
  /** By all that is known to be secret by now: the configuration is looked at first. */
  const shown = <Value>(value: Value): Value => {
    configured();
    return masked(value, mask);
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
  const recordsOf = async (unit: string | null, limit: number): Promise<readonly JournalRecord[]> => {
    const all = await records.all();
    return (unit === null ? all : all.filter((record) => record.unit === unit)).slice(limit === 0 ? all.length : -limit);
  };
  const withChart = (context: Context, work: (found: FoundChart) => Promise<Response>): Promise<Response> => withUnit(context, async (unit) => {
    const machine = context.req.query('machine') ?? (unit.kind === 'cron' ? 'job' : 'service');
    const drawn = await drawMachine(machine);
    if (drawn === null || !['service', 'job', 'rollout'].includes(machine)) return problemResponse(404, `machine: expected service, job or rollout, got '${machine}'`);
    const ofUnit = await recordsOf(unit.name, mostRecords);
    return work({ unit, machine, drawn, ofUnit, steps: stepsAlong(drawn, machine, unit.kind === 'cron', ofUnit), newest: ofUnit.findLast(({ to }) => to !== undefined) });
  });
  const logChoice = (context: Context, unit: string, units: readonly UnitStatus[]): LogChoice | Response => {
    const streamsChosen = streamsNamed(context.req.query('stream'));
    if (streamsChosen === null) return problemResponse(400, `stream: expected stdout, stderr or all, got '${context.req.query('stream')}'`);
    const lines = wholeNumber(context.req.query('lines'), 200, MOST_LINES);
    return lines === null ? problemResponse(400, `lines: expected a whole number up to ${MOST_LINES}`) : { logDir: call.paths.logDir, names: units.map(({ name }) => name), unit, streams: streamsChosen, lines };
  };
  const stream = (serve: Parameters<Streams['open']>[0]): Response => streams.open(serve) ?? problemResponse(503, `there are ${streams.count} streams already, as many as there may be`, 'streams');

  const routes: Route[] = [
    {
      method: 'get', path: '/status', about: 'All units, as `sysg status --json` prints them', answer: statusSnapshot,
      run: async () => {
        const answer = await status();
        return answer.ok ? json(shown(answer.snapshot)) : refusalResponse(answer.refusal);
      },
    },
    {
      method: 'get', path: '/events', about: 'Server-sent events: `units` (rows that changed, all of them first), `record` (of the journal), `ticket`, `gone`, `gap`', answer: 'text/event-stream',
      run: async () => stream((sink) => hub.join(sink)),
    },
    {
      method: 'get', path: '/units/{unit}', about: 'One unit with its processes and its row of the table', answer: record({ unit: inspectPayload, row: unitRow }),
      run: (context) => withUnit(context, async (unit) => json({ unit: shown(unit), row: rowOf(shown(unit)) })),
    },
    {
      method: 'get', path: '/units/{unit}/why', about: 'Why the unit is in its state, in sentences, and the records behind them', answer: explained,
      run: (context) => withUnit(context, async (unit, units) => json(shown(why({ unit, units, records: await recordsOf(null, mostRecords), nowMs: Date.now() })))),
    },
    {
      method: 'get', path: '/units/{unit}/history', about: 'The newest records of the journal about the unit, oldest first', query: { limit: 'at most 10000, default 500' }, answer: record({ records: list(journalRecord) }),
      run: (context) => withUnit(context, async (unit) => {
        const limit = wholeNumber(context.req.query('limit'), 500, mostRecords);
        return limit === null ? problemResponse(400, `limit: expected a whole number up to ${mostRecords}`) : json(shown({ records: await recordsOf(unit.name, limit) }));
      }),
    },
    {
      method: 'get', path: '/units/{unit}/metrics', about: 'CPU in percent of one core and resident memory in bytes over time', query: { window: '15m (default), 1h or 1d' }, answer: samples,
      run: (context) => withUnit(context, async (unit) => {
        const window = context.req.query('window') ?? '15m';
        const windowSeconds = WINDOWS.get(window);
        if (windowSeconds === undefined) return problemResponse(400, `window: expected ${[...WINDOWS.keys()].join(', ')}, got '${window}'`);
        const answer = await askFor(call, { kind: 'inspect', unit: unit.name, samples: windowSeconds }, 'inspect');
        if (!answer.ok) return refusalResponse(answer.refusal);
        const fromMs = Date.now() - windowSeconds * 1000;
        const found = answer.response.payload.samples.map(({ timestamp, cpu_percent: cpu, rss_bytes: rss }) => ({ at: Date.parse(timestamp), cpu, rss })).filter(({ at }) => at >= fromMs);
        return json({ window, samples: thinned(found, MOST_POINTS) });
      }),
    },
    {
      method: 'get', path: '/units/{unit}/logs', about: 'The last lines of the output', query: { stream: 'stdout, stderr or all (default)', lines: 'at most 20000, default 200', download: '1: as a text file' },
      answer: record({ lines: list(logLine) }),
      run: (context) => withUnit(context, async (unit, units) => {
        const choice = logChoice(context, unit.name, units);
        if (choice instanceof Response) return choice;
        const lines = await lastLogLines(choice);
        if (context.req.query('download') === undefined) return json({ lines });
        const text = lines.map(({ at, stream: from, line }) => `${at ?? '-'} ${from} ${line}\n`).join('');
        return new Response(text, { headers: { 'content-type': 'text/plain; charset=utf-8', 'content-disposition': `attachment; filename="${unit.name.replaceAll(/[^\w.-]/g, '_')}.log"` } });
      }),
    },
    {
      method: 'get', path: '/units/{unit}/logs/stream', about: 'Server-sent events: `lines`, the last ones first', query: { stream: 'stdout, stderr or all (default)', lines: 'at most 20000, default 200' }, answer: 'text/event-stream',
      run: (context) => withUnit(context, async (unit, units) => {
        const choice = logChoice(context, unit.name, units);
        return choice instanceof Response ? choice : stream((sink) => followLogs(choice, sink));
      }),
    },
    {
      method: 'get', path: '/units/{unit}/config', about: 'The definition of the unit as its file is now, with every value of the environment masked', answer: record({ file: nullable(string), definition: anything }),
      run: (context) => withUnit(context, async (unit) => {
        const { path, specs } = configured();
        const spec = specs.find(({ name }) => name === unit.name);
        return spec === undefined ? problemResponse(404, `${unit.name} is not in ${path ?? 'a configuration'}`) : json({ file: path, definition: maskedSpec(spec, mask) });
      }),
    },
    {
      method: 'get', path: '/units/{unit}/chart', about: 'Where the unit is in its chart, how often each arrow was taken, and along which the newest records led', query: { machine: 'service, job or rollout; default: the one of the unit' }, answer: marked,
      run: (context) => withChart(context, async ({ unit, machine, drawn, steps, newest }) => {
        const row = rowOf(unit);
        const state = machine === 'rollout' ? (unit.rollout?.step ?? '') : machine === 'service' && newest?.seq === unit.last_event ? (newest?.to ?? null) : null;
        const isElsewhere = machine === 'service' && unit.kind === 'cron';
        return json({
          machine, arrows: drawn.arrows, counts: countArrows(steps), steps: steps.slice(-MOST_STEPS),
          present: state === '' ? [] : presentStates(drawn, unit.name, { phase: isElsewhere && row.phase === 'waiting' ? 'stopped' : row.phase, state }),
        });
      }),
    },
    {
      method: 'get', path: '/units/{unit}/chart/records', about: 'The newest records that led along an arrow of the chart', query: { machine: 'as above', arrow: 'its title' }, answer: record({ records: list(journalRecord) }),
      run: (context) => withChart(context, async ({ ofUnit, steps }) => {
        const arrow = context.req.query('arrow') ?? '';
        const along = new Set(steps.filter(({ arrows }) => arrows.includes(arrow)).slice(-MOST_ALONG).map(({ seq }) => seq));
        return json(shown({ records: ofUnit.filter(({ seq }) => along.has(seq)) }));
      }),
    },
    {
      method: 'get', path: '/charts/{machine}', about: 'A machine as a picture, laid out once for all units', answer: 'image/svg+xml',
      run: async (context) => {
        const drawn = await drawMachine(context.req.param('machine') ?? '');
        return drawn === null ? problemResponse(404, 'there is no such machine') : new Response(drawn.svg, { headers: { 'content-type': 'image/svg+xml' } });
      },
    },
    {
      method: 'get', path: '/graph', about: 'The units and what they need of each other', answer: record({ svg: string, needs: list(record({ unit: string, needs: list(string) })) }),
      run: async () => {
        const { specs } = configured();
        return json({ svg: await drawGraph(specs), needs: specs.map(({ name, dependsOn }) => ({ unit: name, needs: dependsOn.map(({ service }) => service) })) });
      },
    },
    {
      method: 'get', path: '/history', about: 'The newest records of the journal about all units, oldest first', query: { limit: 'at most 10000, default 500' }, answer: record({ records: list(journalRecord) }),
      run: async (context) => {
        const limit = wholeNumber(context.req.query('limit'), 500, mostRecords);
        return limit === null ? problemResponse(400, `limit: expected a whole number up to ${mostRecords}`) : json(shown({ records: await recordsOf(null, limit) }));
      },
    },
    {
      method: 'get', path: '/plan', about: 'What a reload would do to each unit, and why', answer: reloadPlan,
      run: async () => {
        const answer = await askFor(call, { kind: 'plan', config: null }, 'plan');
        return answer.ok ? json(shown(answer.response.plan)) : refusalResponse(answer.refusal);
      },
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
          stage, why: answer.ok ? null : answer.refusal.message, pid: answer.ok ? pid : null, cost: answer.ok && pid !== null ? costOf(pid) : null, connections: answer.ok ? connectionsTo(call.paths.socket) : null,
          server: { version, pid: process.pid, cost: costOf(process.pid), streams: streams.count, read_only: readOnly },
          state_directory: call.paths.stateDir, socket: call.paths.socket, log: call.paths.supervisorLog, config: configured().path,
          present: drawn === null || stage === 'gone' ? [] : presentStates(drawn, '', { phase: '', state }),
          ordered: answer.ok ? answer.snapshot.units.flatMap(({ name, ordered, rollout, waits_for: waits = [] }) => (
            ordered === undefined && rollout === undefined && waits.length === 0 ? [] : [{ unit: name, ordered: ordered ?? null, rollout: rollout?.step ?? null, waits_for: waits.map(({ unit }) => unit) }])) : [],
          tickets: hub.tickets.all(),
        });
      },
    },
    { method: 'get', path: '/tickets', about: 'What became of the acts that were ordered here', answer: record({ tickets: list(ticket) }), run: async () => json({ tickets: hub.tickets.all() }) },
    {
      method: 'post', path: '/simulate', about: 'A rehearsal: the machines on a virtual clock. Nothing is started', body: rehearsal,
      answer: record({ events: list(journalRecord), units: anything, warnings: list(string), lasted_ms: number, ended_by: string }),
      run: async (context) => {
        const body = await readBody<Rehearsal>(context, rehearsal);
        if (body instanceof Response) return body;
        const rehearsed = rehearse(configured().specs, body);
        if (!rehearsed.ok) return refusalResponse(rehearsed.refusal);
        const result = JSON.parse(simulationJson(rehearsed.simulation)) as { readonly events: readonly JournalRecord[] };
        const [service, job] = await Promise.all([drawMachine('service'), drawMachine('job')]);
        const isCron = new Map(configured().specs.map(({ name, cron }) => [name, cron !== null]));
        const arrowsOf = (each: JournalRecord): readonly string[] => {
          const isJob = isCron.get(each.unit ?? '') === true;
          const drawn = isJob ? job : service;
          return drawn === null ? [] : stepsAlong(drawn, isJob ? 'job' : 'service', isJob, [each]).flatMap(({ arrows }) => arrows);
        };
        return json({ ...result, start_ms: rehearsed.simulation.startWallMs, events: result.events.map((each) => ({ ...each, arrows: arrowsOf(each) })) });
      },
    },
  ];
  if (readOnly) return routes;
  const actions: Route = {
    method: 'post', path: '/actions', about: 'Orders something; the answer is a ticket, and the stream of events says when it is settled', body: act, answer: ticket, status: 202,
    run: async (context) => {
      const body = await readBody<Act>(context, act);
      if (body instanceof Response) return body;
      const answer = await status();
      if (!answer.ok) return refusalResponse(answer.refusal);
      const prepared = prepareAct(call, body, new Map(answer.snapshot.units.filter(({ kind }) => kind !== 'orphaned').map(({ name, kind }) => [name, kind])));
      if (typeof prepared === 'string') return problemResponse(400, prepared, 'act');
      return json(hub.tickets.open(body.verb, prepared.units, () => prepared.carryOut()), 202);
    },
  };
  return [...routes, actions];
}

const MOST_LINES = 20_000;
const MOST_POINTS = 600;
const MOST_STEPS = 50;
const MOST_ALONG = 100;
const WINDOWS = new Map([['15m', 900], ['1h', 3600], ['1d', 86_400]]);

export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });
}

async function readBody<Body>(context: Context, shape: Shape<unknown>): Promise<Body | Response> {
  let value: unknown;
  try {
    value = await context.req.json();
  } catch {
    return problemResponse(400, 'the body is no JSON');
  }
  const problem = isRecord(value) ? shape(value, 'body') : 'body: expected an object';
  return problem === null ? value as Body : problemResponse(400, problem);
}

function wholeNumber(text: string | undefined, usual: number, most: number): number | null {
  if (text === undefined) return usual;
  return /^[0-9]{1,9}$/.test(text) && Number(text) <= most ? Number(text) : null;
}

/** Fewer points for a picture: of each stretch its highest, so that no peak is lost. */
function thinned<Point extends { readonly at: number; readonly cpu: number; readonly rss: number }>(points: readonly Point[], most: number): readonly Point[] {
  if (points.length <= most) return points;
  const size = points.length / most;
  return Array.from({ length: most }, (_, index) => points.slice(Math.floor(index * size), Math.floor((index + 1) * size)).reduce((one, other) => (
    { ...other, cpu: Math.max(one.cpu, other.cpu), rss: Math.max(one.rss, other.rss) })));
}
