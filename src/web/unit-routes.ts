import type { Context } from 'hono';
import { askFor, mostRecords } from '../cli/ask.ts';
import { commandStart } from '../cli/config-choice.ts';
import { inWindow } from '../cli/print/charts.ts';
import { why } from '../cli/print/why.ts';
import { refusals } from '../errors.ts';
import { logStreams } from '../logs/names.ts';
import { inspectPayload, journalRecord, type UnitStatus } from '../wire/payloads.ts';
import { list, nullable, number, record, string, type Shaped } from '../wire/shape.ts';
import type { Asking } from './asking.ts';
import { maskedSpec } from './mask.ts';
import { anything, json, problemResponse, refusalResponse, wholeNumber, type Route } from './route.ts';
import { followLogs, lastLogLines, type LogChoice } from './unit-logs.ts';
import { rowOf, unitRow } from './unit-row.ts';

const logLine = record({ at: nullable(string), stream: string, line: string });
const explained = record({ unit: string, phase: string, text: list(string), causes: list(journalRecord) });
const samples = record({ window: string, samples: list(record({ at: number, cpu: number, rss: number })) });

/** What there is to know of one unit, but for its chart. */
export function unitRoutes({ watched: { call }, configured, shown, withUnit, recordsOf, history, stream }: Asking): readonly Route[] {
  const logChoice = (context: Context, unit: string, units: readonly UnitStatus[]): LogChoice | Response => {
    const named = context.req.query('stream') ?? 'all';
    const streams = logStreams.filter((known) => named === 'all' || named === known);
    if (streams.length === 0) return problemResponse(400, `stream: expected stdout, stderr or all, got '${named}'`);
    const lines = wholeNumber(context.req.query('lines'), 200, MOST_LINES);
    return lines === null ? problemResponse(400, `lines: expected a whole number up to ${MOST_LINES}`)
      : { logDir: call.paths.logDir, names: units.map(({ name }) => name), unit, streams, lines };
  };
  return [
    {
      method: 'get', path: '/units/{unit}', about: 'One unit with its processes and its row of the table',
      answer: record({ unit: inspectPayload, row: unitRow }),
      run: (context) => withUnit(context, async (unit) => json({ unit: shown(unit), row: rowOf(shown(unit)) })),
    },
    {
      method: 'get', path: '/units/{unit}/why', about: 'Why the unit is in its state, in sentences, and the records behind them', answer: explained,
      run: (context) => withUnit(context, async (unit, units) => (
        json(shown(why({ unit, units, records: await recordsOf(null, mostRecords), nowMs: Date.now(), command: commandStart(call) }))))),
    },
    {
      method: 'get', path: '/units/{unit}/history', about: 'The newest records of the journal about the unit, oldest first',
      query: { limit: 'at most 10000, default 500' }, answer: record({ records: list(journalRecord) }),
      run: (context) => withUnit(context, (unit) => history(context, unit.name)),
    },
    {
      method: 'get', path: '/units/{unit}/metrics', about: 'CPU in percent of one core and resident memory in bytes over time',
      query: { window: '15m (default), 1h or 1d' }, answer: samples,
      run: (context) => withUnit(context, async (unit) => {
        const window = context.req.query('window') ?? '15m';
        const limit = WINDOWS.get(window);
        if (limit === undefined) return problemResponse(400, `window: expected ${[...WINDOWS.keys()].join(', ')}, got '${window}'`);
        const answer = await askFor(call, { kind: 'inspect', unit: unit.name, samples: limit }, 'inspect');
        if (!answer.ok) return refusalResponse(answer.refusal);
        const found = inWindow(answer.response.payload.samples, limit * 1000, limit, Date.now());
        return json({ window, samples: thinned(found.map(({ timestamp, cpu_percent: cpu, rss_bytes: rss }) => ({ at: Date.parse(timestamp), cpu, rss })), MOST_POINTS) });
      }),
    },
    {
      method: 'get', path: '/units/{unit}/logs', about: 'The last lines of the output',
      query: { stream: 'stdout, stderr or all (default)', lines: 'at most 20000, default 200', download: '1: as a text file' },
      answer: record({ lines: list(logLine) }),
      run: (context) => withUnit(context, async (unit, units) => {
        const choice = logChoice(context, unit.name, units);
        if (choice instanceof Response) return choice;
        const lines = await lastLogLines(choice);
        if (context.req.query('download') === undefined) return json({ lines });
        const disposition = `attachment; filename="${unit.name.replaceAll(/[^\w.-]/g, '_')}.log"`;
        return new Response(lines.map(({ at, stream: from, line }) => `${at ?? '-'} ${from} ${line}\n`).join(''), {
          headers: { 'content-type': 'text/plain; charset=utf-8', 'content-disposition': disposition },
        });
      }),
    },
    {
      method: 'get', path: '/units/{unit}/logs/stream', about: 'Server-sent events: `lines`, the last ones first',
      query: { stream: 'stdout, stderr or all (default)', lines: 'at most 20000, default 200' }, answer: 'text/event-stream',
      run: (context) => withUnit(context, async (unit, units) => {
        const choice = logChoice(context, unit.name, units);
        return choice instanceof Response ? choice : stream((sink) => followLogs(choice, sink));
      }),
    },
    {
      method: 'get', path: '/units/{unit}/config', about: 'The definition of the unit as its file is now, with every value of the environment masked; `problem`: why the file cannot be read, and the definition is of before',
      answer: record({ file: nullable(string), definition: anything, problem: nullable(string) }),
      run: (context) => withUnit(context, async (unit) => {
        const { path, problem, specs } = configured();
        const spec = specs.find(({ name }) => name === unit.name);
        if (spec === undefined) return problem === null ? problemResponse(404, `${unit.name} is not in ${path ?? 'a configuration'}`) : refusalResponse(refusals.config(problem));
        return json({ file: path, definition: maskedSpec(spec, call.secrets.mask), problem });
      }),
    },
  ];
}

const MOST_LINES = 20_000;
const MOST_POINTS = 600;
const WINDOWS = new Map([['15m', 900], ['1h', 3600], ['1d', 86_400]]);

/** Fewer points for a picture: of each stretch its highest, so that no peak is lost. */
function thinned(points: Shaped<typeof samples>['samples'], most: number): typeof points {
  if (points.length <= most) return points;
  const size = points.length / most;
  return Array.from({ length: most }, (_, index) => points.slice(Math.floor(index * size), Math.floor((index + 1) * size)).reduce((one, other) => (
    { ...other, cpu: Math.max(one.cpu, other.cpu), rss: Math.max(one.rss, other.rss) })));
}
