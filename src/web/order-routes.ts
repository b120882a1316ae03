import { askFor } from '../cli/ask.ts';
import { simulationJson } from '../simulate/report.ts';
import { journalRecord, reloadPlan, type JournalRecord } from '../wire/payloads.ts';
import { list, number, record, string } from '../wire/shape.ts';
import { act, prepareAct, type Act } from './acts.ts';
import type { Asking } from './asking.ts';
import { drawMachine, stepsAlong } from './charts.ts';
import { rehearsal, rehearse, type Rehearsal } from './rehearsal.ts';
import { anything, json, problemResponse, readBody, refusalResponse, type Route } from './route.ts';
import { ticket } from './tickets.ts';

/** What is ordered, and what is only tried. */
export function orderRoutes({ watched: { call }, configured, hub, status, shown, readOnly }: Asking): readonly Route[] {
  return [
    {
      method: 'get', path: '/plan', about: 'What a reload would do to each unit, and why', answer: reloadPlan,
      run: async () => {
        const answer = await askFor(call, { kind: 'plan', config: null }, 'plan');
        return answer.ok ? json(shown(answer.response.plan)) : refusalResponse(answer.refusal);
      },
    },
    {
      method: 'get', path: '/tickets', about: 'What became of the acts that were ordered here', answer: record({ tickets: list(ticket) }),
      run: async () => json({ tickets: hub.tickets.all() }),
    },
    {
      method: 'post', path: '/simulate', about: 'A rehearsal: the machines on a virtual clock. Nothing is started', body: rehearsal,
      answer: record({ events: list(journalRecord), units: anything, warnings: list(string), lasted_ms: number, ended_by: string }),
      run: async (context) => {
        const body = await readBody<Rehearsal>(context, rehearsal);
        if (body instanceof Response) return body;
        const answer = await status();
        const present = new Set(answer.ok ? answer.snapshot.units.map(({ name }) => name) : []);
        const rehearsed = rehearse(configured(), present, body);
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
    ...(readOnly ? [] : [{
      method: 'post', path: '/actions', about: 'Orders something; the answer is a ticket, and the stream of events says when it is settled', body: act,
      answer: ticket, status: 202,
      run: async (context) => {
        const body = await readBody<Act>(context, act);
        if (body instanceof Response) return body;
        const answer = await status();
        if (!answer.ok) return refusalResponse(answer.refusal);
        const known = new Map(answer.snapshot.units.filter(({ kind }) => kind !== 'orphaned').map(({ name, kind }) => [name, kind]));
        const prepared = prepareAct(call, body, known);
        if (typeof prepared === 'string') return problemResponse(400, prepared, 'act');
        return json(hub.tickets.open(body.verb, prepared.units, () => prepared.carryOut()), 202);
      },
    } satisfies Route]),
  ];
}
