import { withDependencies } from '../../machines/order.ts';
import { stageOf } from '../../machines/supervisor.ts';
import type { ServiceSpec, Settlement } from '../../machines/types.ts';
import { configuredSpecs, isDone, viewAll, type UnitView } from '../../machines/view.ts';
import type { Request, RequestOf } from '../wire/requests.ts';
import { acceptance, type Response } from '../wire/responses.ts';
import type { Exchange, Route } from './connection.ts';
import type { Accept, RouteOutside } from './outside.ts';
import { describePlan, planReload } from './plan.ts';
import { accepted, collect, error, message, unknown, type Sentence } from './sentences.ts';
import type { Caller } from './tickets.ts';

/** Request → event and ticket → answer. Nothing else changes a unit's state. */
export function makeRoute(outside: RouteOutside): Route {
  const { tickets, now, send, snapshot } = outside;
  const views = (): readonly UnitView[] => viewAll(snapshot());
  const specsNow = (): readonly ServiceSpec[] => configuredSpecs(snapshot());
  const isKnown = (name: string): boolean => snapshot().context.units.has(name);
  /** The units are these from now on. `fresh`: those among them that may come into another slot. */
  const changeTo = (specs: readonly ServiceSpec[], fresh: readonly ServiceSpec[], ticket: number | null = null): void => (
    send({ type: 'reload', at: now(), ticket, specs, slots: outside.slots(fresh) }));

  /** A service that is not ready yet may wait for all that does not wait for the service. */
  const isHeldUp = (caller: Caller | null, units: readonly string[]): boolean => (
    caller !== null && (!caller.isService || withDependencies(snapshot().context.units, units).has(caller.unit)));
  /**
   * Sends a command and waits until each unit has answered. Null: the command was accepted and goes on, which is all that a client gets to know that
   * does not wait, and one that a unit may be waiting for, unless the units have answered before the client is identified.
   */
  const settle = async (
    exchange: Exchange, { wait = true }: { wait?: boolean | undefined }, units: readonly string[], issue: (ticket: number) => void,
  ): Promise<readonly Settlement[] | null> => {
    const caller = wait ? outside.callerOf(exchange) : null;
    const settled = tickets.open(units, issue);
    return caller === null ? null : Promise.race([settled, caller.then((found) => (isHeldUp(found, units) ? null : settled))]);
  };

  /** Units come beside those there are, without a reload. */
  const join = async (service: string, fresh: readonly ServiceSpec[], { settlements }: Pick<RequestOf<'start'>, 'settlements'>, exchange: Exchange): Promise<Response> => {
    const settled = await settle(exchange, {}, fresh.map(({ name }) => name), (ticket) => changeTo([...specsNow(), ...fresh], fresh, ticket));
    return settled === null ? accepted('Start', service) : collect({ kind: 'start', service, settlements }, settled, `Service '${service}' started`);
  };
  /** Starts a service of the configuration that was left out until now. */
  const summon = (service: string, request: RequestOf<'start'>, exchange: Exchange, accept: Accept): Promise<Response> | Response => {
    const config = outside.summon(service);
    if (config === null) return unknown(service, specsNow());
    const fresh = config.specs.filter(({ name }) => !isKnown(name));
    accept('start', service);
    outside.adoptConfig({ ...config, specs: [...specsNow(), ...fresh] });
    return join(service, fresh, request, exchange);
  };
  /** Starts a command as a unit. */
  const add = (request: RequestOf<'add'>, exchange: Exchange, accept: Accept): Promise<Response> | Response => {
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

  /** A service without a process starts as the file and its env files define it now, as a restart does. Null: as it is defined already. */
  const renewal = (service: string): { readonly apply: () => void } | { readonly refusal: string } | null => {
    const view = views().find(({ spec }) => spec.name === service);
    if (view === undefined || view.process !== null) return null;
    const config = outside.readConfig(null);
    if (!config.ok) return { refusal: config.error };
    const spec = config.specs.find(({ name }) => name === service);
    if (spec === undefined) return null;
    return { apply: () => changeTo(specsNow().map((other) => (other.name === service ? spec : other)), [spec]) };
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

  const stop = async (request: RequestOf<'stop'>, exchange: Exchange, accept: Accept): Promise<Response> => {
    const { service } = request;
    if (service !== null && !isKnown(service)) return unknown(service, specsNow());
    if (request.forget === true && (service === null || !outside.adHoc.has(service))) {
      return error(service === null ? 'expected a unit to forget' : `Service '${service}' belongs to the configuration: remove it from the file, then run sysg reload`);
    }
    accept('stop', service, request.forget === true ? { forget: true } : undefined);
    const units = service === null ? specsNow().map(({ name }) => name) : [service];
    const settled = await settle(exchange, {}, units, (ticket) => send({ type: 'stop', at: now(), ticket, units }));
    if (settled === null) return accepted('Stop', service);
    if (service === null) return collect(request, settled, 'All services stopped');
    const running = new Set(views().filter(({ phase }) => phase === 'running').map(({ spec }) => spec.name));
    const left = request.notes !== true ? [] : (snapshot().context.dependents.get(service) ?? []).filter((name) => running.has(name));
    const note = left.length === 0 ? '' : ` (still running without it: ${left.join(', ')})`;
    const stopped = collect(request, settled, `Service '${service}' stopped${note}`);
    if (request.forget !== true || stopped.kind === 'error') return stopped;
    return { ...stopped, ...forget(service) };
  };

  const restartOne = async (service: string, request: RequestOf<'restart'>, exchange: Exchange, accept: Accept): Promise<Response> => {
    const config = outside.readConfig(request.config);
    if (!config.ok) return error(config.error);
    const spec = config.specs.find(({ name }) => name === service);
    if (spec === undefined || !isKnown(service)) return unknown(service, specsNow());
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
    const changesKind = new Set(views().filter(({ spec }) => specs.has(spec.name) && (specs.get(spec.name)?.cron === null) !== (spec.cron === null)).map(({ spec }) => spec.name));
    const running = views().filter((view) => view.wanted === 'up' && view.spec.cron === null && specs.has(view.spec.name) && !changesKind.has(view.spec.name));
    const done = request.all === true ? [] : running.filter((view) => {
      const next = specs.get(view.spec.name);
      return next !== undefined && isDone(view, next);
    }).map(({ spec }) => spec.name);
    const units = running.map(({ spec }) => spec.name).filter((name) => !done.includes(name));
    const isRunning = new Set(running.map(({ spec }) => spec.name));
    for (const spec of specsNow()) if (isRunning.has(spec.name)) specs.set(spec.name, spec);
    const fresh = config.specs.filter(({ name, cron }) => (cron === null && !isKnown(name)) || changesKind.has(name)).map(({ name }) => name);
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
    if (!isKnown(unit)) return unknown(unit, specsNow());
    if (!outside.isSignal(name)) return error(`'${name}' is not a signal; expected a name such as SIGHUP or SIGUSR1`);
    const view = views().find(({ spec }) => spec.name === unit);
    const identity = view?.process?.identity ?? null;
    if (identity === null) return error(`Service '${unit}' has no process to signal (${view?.phase ?? 'unknown'})`);
    const { pid } = identity;
    const obstacle = outside.signalObstacle(identity);
    if (obstacle !== null) return error(`${name} was not sent to service '${unit}' (pid ${pid}): ${obstacle}`);
    accept('signal', unit, { signal: name, to_pid: pid });
    send({ type: 'signal', at: now(), unit, signal: name });
    return message(`${name} sent to service '${unit}' (pid ${pid})`);
  };

  return async (request, exchange) => {
    const asker = RECORDED.has(request.kind) ? await outside.askerOf(exchange) : {};
    const accept: Accept = (command, unit, detail) => outside.record({ command, unit, asker, ...(detail !== undefined && { detail }) });
    if (NOT_WHILE_ENDING.has(request.kind) && stageOf(snapshot()) === 'ending') return error('the supervisor is shutting down');
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

/** Requests of which the journal has a record; the one of a spawn is that of the child. */
const RECORDED: ReadonlySet<Request['kind']> = new Set(['start', 'add', 'stop', 'restart', 'reload', 'signal', 'shutdown', 'handover']);

/** What a supervisor that ends would accept and not do. */
const NOT_WHILE_ENDING: ReadonlySet<Request['kind']> = new Set(['start', 'add', 'restart', 'reload', 'spawn', 'handover']);
