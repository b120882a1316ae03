import type { ServiceSpec, Settlement, SignalName, SlotIndex, SupervisorCommand } from '../../machines/types.ts';
import { dependentsOf, withDependencies } from '../../machines/order.ts';
import { stageOf, type SupervisorSnapshot } from '../../machines/supervisor.ts';
import { isDone, viewAll, type UnitView } from '../../machines/view.ts';
import { refusals, type Refused } from '../errors.ts';
import type { KeptConfig } from '../config/kept.ts';
import type { MetricsSpec } from '../metrics-spec.ts';
import type { AcceptedRequest, Asker } from '../journal/request-record.ts';
import type { InspectPayload, JournalRecord, StatusSnapshot, UnitSettlement } from '../wire/payloads.ts';
import type { Request, RequestOf } from '../wire/requests.ts';
import { acceptance, type Response } from '../wire/responses.ts';
import { didYouMean } from '../words.ts';
import type { Exchange, Route } from './connection.ts';
import { describePlan, planReload } from './plan.ts';
import type { TicketOffice } from './tickets.ts';

/** A configuration that was read, or why it was refused, in the words for a client. */
export type ReadConfig =
  | {
    readonly ok: true;
    readonly path: string;
    /** Also of the units beside the file, which were started from the command line alone. */
    readonly specs: readonly ServiceSpec[];
    /** The names of those. */
    readonly adHoc: ReadonlySet<string>;
    readonly metrics: MetricsSpec | null;
    /** Of the file alone. */
    readonly kept: KeptConfig;
  }
  /** `error`: for a client, with 0.33.0's prefix. */
  | { readonly ok: false; readonly problems: string; readonly error: string };

/** The unit that a request comes out of. */
export interface Caller {
  readonly unit: string;
  /** The request comes from the service itself, which is not ready yet; false: from a hook, a check or a command that prepares the start. */
  readonly isService: boolean;
}

export interface RouteOutside {
  readonly tickets: TicketOffice;
  now(): number;
  send(command: SupervisorCommand): void;
  snapshot(): SupervisorSnapshot;
  status(): StatusSnapshot;
  /** The newest `samples` of a unit by name or hash. */
  inspect(unit: string, samples: number): Promise<InspectPayload>;
  /** Null: the file in use, read again. Relative paths are taken against its directory. */
  readConfig(path: string | null): ReadConfig;
  /** A service that is configured and was left out for its profiles, with what it needs; null: there is none of that name. */
  summon(service: string): Extract<ReadConfig, { ok: true }> | null;
  /** From now on this file is the one in use; new units get what they need outside the machines. */
  adoptConfig(config: Extract<ReadConfig, { ok: true }>): void;
  /** Units beside the configuration. */
  readonly adHoc: AdHocPort;
  /** In which slot each blue-green unit was left. */
  slots(specs: readonly ServiceSpec[]): Readonly<Record<string, SlotIndex>>;
  isSignal(name: string): name is SignalName;
  /** Who asked, as far as that can be known; requests get their answers in the order in which they came. */
  askerOf(exchange: Exchange): Promise<Asker>;
  /** Records a request that is accepted, before anything follows from it. */
  record(request: AcceptedRequest): void;
  /** Null: the client is no process that a unit may be waiting for. */
  callerOf(exchange: Exchange): Promise<Caller | null>;
  /** Ends this supervisor for the sake of the next one as soon as the answer is out. Why it cannot, or null. */
  handOver(): string | null;
  spawn(request: RequestOf<'spawn'>, exchange: Exchange): Promise<Response>;
  history(request: RequestOf<'history'>): readonly JournalRecord[];
  /** These write their answers themselves. */
  logs(request: RequestOf<'logs'>, exchange: Exchange): Promise<null>;
  watch(request: RequestOf<'watch'>, exchange: Exchange): Promise<null>;
}

/** Commands that run as units of their own. */
export interface AdHocPort {
  /** A configuration for the command. `isKnown`: the unit is there and runs the same. */
  add(order: { readonly name: string; readonly command: readonly string[]; readonly directory: string }): { readonly ok: true; readonly spec: ServiceSpec; readonly isKnown: boolean } | Refused;
  has(unit: string): boolean;
  /** Takes the unit off the list. Why that cannot be done, or null. */
  forget(unit: string): string | null;
}

type Sentence = Extract<Response, { kind: 'message' | 'error' }>;

/** Request → event and ticket → answer. Nothing else changes a unit's state. */
export function makeRoute(outside: RouteOutside): Route {
  const { tickets, now, send } = outside;
  const views = (): readonly UnitView[] => viewAll(outside.snapshot());
  const specsNow = (): readonly ServiceSpec[] => views().map(({ spec }) => spec);
  const isKnown = (name: string): boolean => outside.snapshot().context.units.has(name);
  /** The units are these from now on. `fresh`: those among them that may come into another slot. */
  const changeTo = (specs: readonly ServiceSpec[], fresh: readonly ServiceSpec[], ticket: number | null = null): void =>
    send({ type: 'reload', at: now(), ticket, specs, slots: outside.slots(fresh) });

  /**
   * Sends a command and waits until each unit has answered. Null: the command was accepted and goes on, which is all that a client gets to know that
   * does not wait, and one that a unit may be waiting for, unless the units have answered before the client is identified.
   */
  const settle = async (exchange: Exchange, { wait = true }: { wait?: boolean | undefined }, units: readonly string[], issue: (ticket: number) => void): Promise<readonly Settlement[] | null> => {
    const caller = wait ? outside.callerOf(exchange) : null;
    const settled = tickets.open(units, issue);
    return caller === null ? null : Promise.race([settled, caller.then((found) => (isHeldUp(found, units) ? null : settled))]);
  };
  /** A service that is not ready yet may wait for all that does not wait for the service. */
  const isHeldUp = (caller: Caller | null, units: readonly string[]): boolean =>
    caller !== null && (!caller.isService || withDependencies(outside.snapshot().context.units, units).has(caller.unit));

  /** A service without a process starts as the file and its env files define it now, as a restart does. Null: as it is defined already. */
  const renewal = (service: string): { readonly apply: () => void } | { readonly refusal: string } | null => {
    const view = views().find(({ spec }) => spec.name === service);
    if (view === undefined || view.process !== null) return null;
    const config = outside.readConfig(null);
    if (!config.ok) return { refusal: config.error };
    const spec = config.specs.find(({ name }) => name === service);
    if (spec === undefined || (spec.cron === null) !== (view.spec.cron === null)) return null;
    return { apply: () => changeTo(specsNow().map((other) => (other.name === service ? spec : other)), [spec]) };
  };

  /** Units that come beside those there are, and start with that. */
  const join = async (service: string, fresh: readonly ServiceSpec[], { settlements }: Pick<RequestOf<'start'>, 'settlements'>, exchange: Exchange): Promise<Response> => {
    const settled = await settle(exchange, {}, fresh.map(({ name }) => name), (ticket) => changeTo([...specsNow(), ...fresh], fresh, ticket));
    return settled === null ? accepted('Start', service) : collect({ kind: 'start', service, settlements }, settled, `Service '${service}' started`);
  };

  /** Starts a service that was left out until now. */
  const summon = (service: string, request: RequestOf<'start'>, exchange: Exchange, accept: Accept): Promise<Response> | Response => {
    const config = outside.summon(service);
    if (config === null) return unknown(service, views());
    const fresh = config.specs.filter(({ name }) => !isKnown(name));
    accept('start', service);
    outside.adoptConfig({ ...config, specs: [...specsNow(), ...fresh] });
    return join(service, fresh, request, exchange);
  };

  const start = async (request: RequestOf<'start'>, exchange: Exchange, accept: Accept): Promise<Response> => {
    const { service } = request;
    if (service !== null && !isKnown(service)) return summon(service, request, exchange, accept);
    const renewed = service === null ? null : renewal(service);
    if (renewed !== null && 'refusal' in renewed) return error(renewed.refusal);
    accept('start', service);
    renewed?.apply();
    const units = service === null ? specsNow().filter(({ cron }) => cron === null).map(({ name }) => name) : [service];
    const settled = await settle(exchange, {}, units, (ticket) => send({ type: 'start', at: now(), ticket, units }));
    if (settled === null) return accepted('Start', service);
    if (service === null) return collect(request, settled, 'All services started');
    const already = settled.some(({ result }) => result === 'already-running');
    return collect(request, settled, already ? `Service '${service}' is already running` : `Service '${service}' started`);
  };

  const add = async (request: RequestOf<'add'>, exchange: Exchange, accept: Accept): Promise<Response> => {
    const added = outside.adHoc.add(request);
    if (!added.ok) return error(added.reason);
    const { spec } = added;
    if (added.isKnown) return start({ ...request, kind: 'start', service: spec.name }, exchange, accept);
    accept('start', spec.name, { command: spec.command });
    return join(spec.name, [spec], request, exchange);
  };

  /** After a stop: the unit is a unit no more. */
  const forget = (service: string): Sentence => {
    const problem = outside.adHoc.forget(service);
    if (problem !== null) return error(problem);
    changeTo(specsNow().filter(({ name }) => name !== service), []);
    return message(`Service '${service}' stopped and forgotten`);
  };

  const stop = async (request: RequestOf<'stop'>, exchange: Exchange, accept: Accept): Promise<Response> => {
    const { service } = request;
    if (service !== null && !isKnown(service)) return unknown(service, views());
    if (request.forget === true && (service === null || !outside.adHoc.has(service))) {
      return error(service === null ? 'expected a unit to forget' : `Service '${service}' is of the configuration: to remove it, remove it there, then reload`);
    }
    accept('stop', service, request.forget === true ? { forget: true } : undefined);
    const units = service === null ? specsNow().map(({ name }) => name) : [service];
    const settled = await settle(exchange, {}, units, (ticket) => send({ type: 'stop', at: now(), ticket, units }));
    if (settled === null) return accepted('Stop', service);
    if (service === null) return collect(request, settled, 'All services stopped');
    const running = new Set(views().filter(({ phase }) => phase === 'running').map(({ spec }) => spec.name));
    const left = dependentsOf(outside.snapshot().context.units, service).filter((name) => running.has(name));
    const note = left.length === 0 ? '' : ` (still running without it: ${left.join(', ')})`;
    const stopped = collect(request, settled, `Service '${service}' stopped${note}`);
    if (request.forget !== true || stopped.kind === 'error') return stopped;
    return { ...stopped, ...forget(service) };
  };

  const restartOne = async (service: string, request: RequestOf<'restart'>, exchange: Exchange, accept: Accept): Promise<Response> => {
    const config = outside.readConfig(request.config);
    if (!config.ok) return error(config.error);
    const spec = config.specs.find(({ name }) => name === service);
    if (spec === undefined || !isKnown(service)) return unknown(service, views());
    accept('restart', service);
    const settled = await settle(exchange, request, [service], (ticket) => send({ type: 'restart', at: now(), ticket, units: [service], specs: [spec], slots: outside.slots([spec]) }));
    return settled === null ? accepted('Restart', service) : collect(request, settled, `Service '${service}' restarted`);
  };

  /** The whole file is taken over; every service that is wanted up restarts once, in order, with its new definition. */
  const restartAll = async (request: RequestOf<'restart'>, exchange: Exchange, accept: Accept): Promise<Response> => {
    const config = outside.readConfig(request.config);
    if (!config.ok) return error(config.error);
    accept('restart', null, { config: config.path });
    const specs = new Map(config.specs.map((spec) => [spec.name, spec]));
    const running = views().filter((view) => view.wanted === 'up' && view.spec.cron === null && specs.has(view.spec.name));
    const done = request.all === true ? [] : running.filter((view) => {
      const next = specs.get(view.spec.name);
      return next !== undefined && isDone(view, next);
    }).map(({ spec }) => spec.name);
    const units = running.map(({ spec }) => spec.name).filter((name) => !done.includes(name));
    for (const view of running) specs.set(view.spec.name, view.spec);
    const fresh = config.specs.filter(({ name, cron }) => cron === null && !isKnown(name)).map(({ name }) => name);
    outside.adoptConfig(config);
    const takeOver = (ticket: number | null): void => changeTo([...specs.values()], config.specs, ticket);
    if (fresh.length === 0) takeOver(null);
    const started = settle(exchange, request, fresh, takeOver);
    const restarted = settle(exchange, request, units, (ticket) => send({ type: 'restart', at: now(), ticket, units, specs: config.specs }));
    const settled = await Promise.all([started, restarted]);
    if (settled.includes(null)) return accepted('Restart', null);
    const leftDone = request.notes !== true || done.length === 0 ? '' : ` (not run again, as completed: ${done.join(', ')}; with --all they are)`;
    return collect(request, settled.flatMap((some) => some ?? []), `All services restarted${leftDone}`);
  };

  const reload = (path: string | null, accept: Accept): Response => {
    const config = outside.readConfig(path);
    if (!config.ok) return error(config.error);
    accept('reload', null, { config: config.path });
    const plan = planReload(views(), config.specs);
    outside.adoptConfig(config);
    changeTo(config.specs, config.specs);
    return message(`Configuration reloaded: ${describePlan(plan)}`);
  };

  const signal = (unit: string, name: string, accept: Accept): Response => {
    if (!isKnown(unit)) return unknown(unit, views());
    if (!outside.isSignal(name)) return error(`'${name}' is not a signal; expected a name such as SIGHUP or SIGUSR1`);
    const view = views().find(({ spec }) => spec.name === unit);
    const pid = view?.process?.identity?.pid;
    if (pid === undefined) return error(`Service '${unit}' has no process to signal (${view?.phase ?? 'unknown'})`);
    accept('signal', unit, { signal: name, to_pid: pid });
    send({ type: 'signal', at: now(), unit, signal: name });
    return message(`${name} sent to service '${unit}' (pid ${pid})`);
  };

  return async (request, exchange) => {
    const asker = RECORDED.has(request.kind) ? await outside.askerOf(exchange) : {};
    const accept: Accept = (command, unit, detail) => outside.record({ command, unit, asker, ...(detail !== undefined && { detail }) });
    if (NOT_WHILE_ENDING.has(request.kind) && stageOf(outside.snapshot()) === 'ending') return error('the supervisor is shutting down');
    switch (request.kind) {
      case 'start': return start(request, exchange, accept);
      case 'add': return add(request, exchange, accept);
      case 'stop': return stop(request, exchange, accept);
      case 'restart': return request.service === null ? restartAll(request, exchange, accept) : restartOne(request.service, request, exchange, accept);
      case 'shutdown': {
        // The supervisor ends when its hooks have ended: the client must know that even if all units were down before the client was identified.
        accept('shutdown', null);
        const caller = outside.callerOf(exchange);
        const settled = tickets.open([''], (ticket) => send({ type: 'shutdown', at: now(), ticket, exitCode: 0 }));
        if (isHeldUp(await caller, [])) return message(acceptance('Stop of the supervisor'));
        await settled;
        return message('Supervisor shutting down');
      }
      case 'handover': {
        // The supervisor makes way when its hooks have ended.
        const caller = await outside.callerOf(exchange);
        const refusal = outside.handOver();
        if (refusal !== null) return error(refusal);
        accept('handover', null);
        return message(isHeldUp(caller, []) ? acceptance('Restart of the supervisor') : 'Supervisor restarting; services go on');
      }
      case 'status': case 'reveal': return { kind: 'status', snapshot: outside.status() };
      case 'inspect': return { kind: 'inspect', payload: await outside.inspect(request.unit, request.samples) };
      case 'logs': return outside.logs(request, exchange);
      case 'history': return { kind: 'history', records: outside.history(request) };
      case 'watch': return outside.watch(request, exchange);
      case 'reload': return reload(request.config, accept);
      case 'plan': {
        const config = outside.readConfig(request.config);
        return config.ok ? { kind: 'plan', plan: planReload(views(), config.specs) } : error(config.error);
      }
      case 'signal': return signal(request.unit, request.signal, accept);
      case 'spawn': return outside.spawn(request, exchange);
    }
  };
}

/** Records that a request is carried out. */
type Accept = (command: AcceptedRequest['command'], unit: string | null, detail?: AcceptedRequest['detail']) => void;

/** Requests of which the journal has a record; the one of a spawn is that of the child. */
const RECORDED: ReadonlySet<Request['kind']> = new Set(['start', 'add', 'stop', 'restart', 'reload', 'signal', 'shutdown', 'handover']);

/** What a supervisor that ends would accept and not do. */
const NOT_WHILE_ENDING: ReadonlySet<Request['kind']> = new Set(['start', 'add', 'restart', 'reload', 'spawn', 'handover']);

/** The message when all went well, else one error that names each unit that did not, and why; on request with the settlement of every unit as data beside it. */
function collect({ kind, settlements }: RequestOf<'start' | 'stop' | 'restart'>, settled: readonly Settlement[], success: string): Sentence {
  const failed = settled.filter((settlement) => settlement.error !== null);
  const notes = settled.flatMap(({ unit, note }) => (note === undefined ? [] : [`${unit}: ${note}`]));
  const answer = failed.length === 0
    ? message([success, ...notes].join('; '))
    : error(failed.map(({ unit, error: why }) => `Failed to ${kind} service '${unit}': ${why}`).join('; '));
  return settlements === true ? { ...answer, units: settled.map(unitSettlement) } : answer;
}

function unitSettlement({ unit, result, error: why, note }: Settlement): UnitSettlement {
  return { unit, result, ...(why !== null && { error: why }), ...(note !== undefined && { note }) };
}

function accepted(order: string, service: string | null): Sentence {
  return message(acceptance(`${order} of ${service === null ? 'all services' : `service '${service}'`}`));
}

function message(text: string): Sentence {
  return { kind: 'message', text };
}

function error(text: string): Sentence {
  return { kind: 'error', text };
}

function unknown(service: string, present: readonly UnitView[]): Sentence {
  return error(refusals.unknownUnit(service, didYouMean(service, present.map(({ spec }) => spec.name))).message);
}
