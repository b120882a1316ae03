import type { Context } from 'hono';
import { mostRecords } from '../cli/ask.ts';
import { phaseOf } from '../cli/print/unit.ts';
import { refusals } from '../errors.ts';
import { journalRecord, type JournalRecord, type UnitStatus } from '../wire/payloads.ts';
import { count, list, nullable, record, string, type Shaped } from '../wire/shape.ts';
import type { Asking } from './asking.ts';
import { shownMachines } from '../chart/machines.ts';
import { countArrows, drawGraph, drawMachine, presentStates, stepsAlong, type ChartStep, type DrawnMachine } from './charts.ts';
import { json, problemResponse, refusalResponse, type Route } from './route.ts';

interface FoundChart {
  readonly unit: UnitStatus;
  readonly machine: string;
  readonly drawn: DrawnMachine;
  readonly ofUnit: readonly JournalRecord[];
  readonly steps: readonly ChartStep[];
  readonly newest: JournalRecord | undefined;
}

const marked = record({
  machine: string, present: list(string), counts: list(record({ title: string, count })), steps: list(record({ seq: count, arrows: list(string) })),
  arrows: list(record({ title: string, from: nullable(string), to: nullable(string), lines: list(string) })),
});

export interface MarkedChart extends Shaped<typeof marked> {}

/** Charts as pictures, and what is marked in them. */
export function chartRoutes({ configured, shown, withUnit, recordsOf }: Asking): readonly Route[] {
  const withChart = (context: Context, work: (found: FoundChart) => Promise<Response>): Promise<Response> =>
    withUnit(context, async (unit) => {
      const machine = context.req.query('machine') ?? (unit.kind === 'cron' ? 'job' : 'service');
      const drawn = await drawMachine(machine);
      if (drawn === null || !['service', 'job', 'rollout'].includes(machine))
        return problemResponse(404, `machine: expected service, job or rollout, got '${machine}'`);
      const ofUnit = await recordsOf(unit.name, mostRecords);
      const steps = stepsAlong(drawn, machine, unit.kind === 'cron', ofUnit);
      return work({ unit, machine, drawn, ofUnit, steps, newest: ofUnit.findLast(({ to }) => to !== undefined) });
    });
  return [
    {
      method: 'get', path: '/units/{unit}/chart', about: 'Where the unit is in its chart, how often each arrow was taken, and along which the newest records led',
      query: { machine: 'service, job or rollout; default: the one of the unit' }, answer: marked,
      run: (context) => withChart(context, async ({ unit, machine, drawn, steps, newest }) => {
        const known = phaseOf(unit);
        const phase = machine === 'service' && unit.kind === 'cron' && known === 'waiting' ? 'stopped' : known;
        const state = machine === 'rollout' ? (unit.rollout?.step ?? '') : machine === 'service' && newest?.seq === unit.last_event ? (newest?.to ?? null) : null;
        const present = state === '' ? [] : presentStates(drawn, unit.name, { phase, state });
        return json({ machine, arrows: drawn.arrows, counts: countArrows(steps), steps: steps.slice(-MOST_STEPS), present });
      }),
    },
    {
      method: 'get', path: '/units/{unit}/chart/records', about: 'The newest records that led along an arrow of the chart',
      query: { machine: 'as above', arrow: 'its title' }, answer: record({ records: list(journalRecord) }),
      run: (context) => withChart(context, async ({ ofUnit, steps }) => {
        const arrow = context.req.query('arrow') ?? '';
        const along = new Set(steps.filter(({ arrows }) => arrows.includes(arrow)).slice(-MOST_ALONG).map(({ seq }) => seq));
        return json(shown({ records: ofUnit.filter(({ seq }) => along.has(seq)) }));
      }),
    },
    {
      method: 'get', path: '/charts/{machine}', about: 'A machine as a picture, laid out once for all units', answer: 'image/svg+xml',
      run: async (context) => {
        const name = context.req.param('machine') ?? '';
        const drawn = await drawMachine(name);
        if (drawn === null) return problemResponse(404, `machine: expected ${shownMachines.map(({ name }) => name).join(', ')}, got '${name.slice(0, 60)}'`);
        return new Response(drawn.svg, { headers: { 'content-type': 'image/svg+xml' } });
      },
    },
    {
      method: 'get', path: '/graph', about: 'The units and what they need of each other',
      answer: record({ svg: string, needs: list(record({ unit: string, needs: list(string) })) }),
      run: async () => {
        const { problem, specs } = configured();
        if (problem !== null && specs.length === 0) return refusalResponse(refusals.config(problem));
        return json({ svg: await drawGraph(specs), needs: specs.map(({ name, dependsOn }) => ({ unit: name, needs: dependsOn.map(({ service }) => service) })) });
      },
    },
  ];
}

const MOST_STEPS = 50;
const MOST_ALONG = 100;
