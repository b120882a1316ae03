import { ask, askFor, messageOf, unitOrder } from '../cli/ask.ts';
import { simulationJson } from '../simulate/report.ts';
import { journalRecord, reloadPlan, type JournalRecord } from '../wire/payloads.ts';
import { count, list, number, oneOf, record, string, type Shaped } from '../wire/shape.ts';
import type { Asking } from './asking.ts';
import { aroundRun, drawMachine, stepsAlong } from './charts.ts';
import { anything, json, problemResponse, readBody, refusalResponse, type Route } from './route.ts';
import { ticket } from './tickets.ts';
import type { Call } from '../cli/call.ts';
import { bareSignal, signalNamed, signalNames } from '../signals.ts';
import { didYouMean, parseDuration } from '../words.ts';
import type { Request } from '../wire/requests.ts';
import { refusals, type Result } from '../errors.ts';
import { parseEvent, type ScenarioEvent } from '../simulate/events.ts';
import { emptyScenario } from '../simulate/scenario.ts';
import { simulate, type Definitions, type Simulation } from '../simulate/simulate.ts';

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
        const { problem, ...definitions } = configured();
        if (problem !== null && definitions.specs.length === 0) return refusalResponse(refusals.config(problem));
        const rehearsed = rehearse(definitions, present, body);
        if (!rehearsed.ok) return refusalResponse(rehearsed.refusal);
        const result = JSON.parse(simulationJson(rehearsed.simulation)) as { readonly events: readonly JournalRecord[]; readonly warnings: readonly string[] };
        const warnings = [...(problem === null ? [] : [`this is of the file as it was before, since it cannot be read now: ${problem}`]), ...result.warnings];
        const [service, job] = await Promise.all([drawMachine('service'), drawMachine('job')]);
        const isCron = new Map(definitions.specs.map(({ name, cron }) => [name, cron !== null]));
        const onChart = (each: JournalRecord): JournalRecord & { readonly arrows: readonly string[]; readonly in_chart: string | undefined } => {
          const isJob = isCron.get(each.unit ?? '') === true;
          const drawn = isJob ? job : service;
          const arrows = drawn === null ? [] : stepsAlong(drawn, isJob ? 'job' : 'service', isJob, [each]).flatMap((step) => step.arrows);
          return { ...each, arrows, in_chart: isJob ? aroundRun(each).to : each.to };
        };
        return json({ ...result, warnings, start_ms: rehearsed.simulation.startWallMs, events: result.events.map(onChart) });
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

/** What the page can order. `run` starts a cron unit now; a reload concerns no single unit. */
const act = record({ verb: oneOf('start', 'stop', 'restart', 'run', 'reload', 'signal') }, { units: list(string), signal: string });

interface Act extends Shaped<typeof act> {}

interface Prepared { readonly units: readonly string[]; carryOut(): Promise<{ readonly ok: boolean; readonly message: string }> }

/** Checks an order against the units there are: what is wrong with it as a sentence, or how it is carried out. */
function prepareAct(call: Call, { verb, units: named = [], signal }: Act, known: ReadonlyMap<string, string>): Prepared | string {
  const units = [...new Set(named)];
  if (signal !== undefined && verb !== 'signal') return `signal: expected none with verb ${verb}`;
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

/** What is to be rehearsed: events as on the command line, `api@3s=exit:1`, and for how long, `1m`. */
const rehearsal = record({}, { events: list(string), for: string, seed: count });

interface Rehearsal extends Shaped<typeof rehearsal> {}

/** The server answers other requests too: a storm is given up early. */
const MOST_CHANGES = 20_000;
const MOST_EVENTS = 200;

/** The machines on a virtual clock with the configuration as it is now, and of the services with profiles those that are `present`. Nothing is started. */
export function rehearse({ specs, profiles }: Definitions, present: ReadonlySet<string>, wish: Rehearsal): Result<{ readonly simulation: Simulation }> {
  const events: ScenarioEvent[] = [];
  const texts = wish.events ?? [];
  if (texts.length > MOST_EVENTS) return usage(`events: expected at most ${MOST_EVENTS}, got ${texts.length}`);
  const names = specs.map(({ name }) => name);
  for (const text of texts) {
    const parsed = parseEvent(text, emptyScenario.startWallMs);
    if (!parsed.ok) return usage(`events: ${parsed.problem}`);
    const { event } = parsed;
    if (event.kind === 'command' && event.command.file !== null)
      return usage('events: a rehearsal in the page reads no other file: expected reload without one');
    const unit = event.kind === 'command' ? event.command.unit : event.unit;
    if (unit !== null && !names.includes(unit)) return usage(`events: '${unit}' is no unit of this configuration${didYouMean(unit, names)}`);
    events.push(event);
  }
  const duration = wish.for === undefined ? null : parseDuration(wish.for);
  if (duration?.ok === false) return usage(`for: expected ${duration.expected}, got "${wish.for}"`);
  const inOrder = events.toSorted((one, other) => one.atMs - other.atMs);
  const scenario = { ...emptyScenario, seed: (wish.seed ?? 1) % 2 ** 31, forMs: duration?.value ?? null, events: inOrder };
  const chosen = { profiles: [], names: present };
  return { ok: true, simulation: simulate({ specs, ...(profiles !== undefined && { profiles }), chosen, scenario, mostChanges: MOST_CHANGES }) };
}

function usage(message: string): Result<never> {
  return { ok: false, refusal: refusals.usage(message) };
}
