import { stageOf } from '../../machines/supervisor.ts';
import { configuredSpecs, isDone, viewAll, type UnitView } from '../../machines/view.ts';
import type { Request, RequestOf } from '../wire/requests.ts';
import { acceptance, type Response } from '../wire/responses.ts';
import type { Exchange, Route } from './connection.ts';
import { makeNewcomers, type Present } from './newcomers.ts';
import type { Accept, RouteOutside } from './outside.ts';
import { describePlan, planReload } from './plan.ts';
import { accepted, collect, error, message, unknown } from './sentences.ts';
import { makeSettling } from './tickets.ts';

/** Request → event and ticket → answer. Nothing else changes a unit's state. */
export function makeRoute(outside: RouteOutside): Route {
  const { tickets, now, send } = outside;
  const views = (): readonly UnitView[] => viewAll(outside.snapshot());
  const present: Present = {
    specs: () => configuredSpecs(outside.snapshot()),
    isKnown: (name) => outside.snapshot().context.units.has(name),
    changeTo: (specs, fresh, ticket = null) => send({ type: 'reload', at: now(), ticket, specs, slots: outside.slots(fresh) }),
  };
  const { specs: specsNow, isKnown, changeTo } = present;
  const settling = makeSettling(outside);
  const { settle, isHeldUp } = settling;
  const newcomers = makeNewcomers(outside, present, settling);

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
    if (service !== null && !isKnown(service)) return newcomers.summon(service, request, exchange, accept);
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
    const left = request.notes !== true ? [] : (outside.snapshot().context.dependents.get(service) ?? []).filter((name) => running.has(name));
    const note = left.length === 0 ? '' : ` (still running without it: ${left.join(', ')})`;
    const stopped = collect(request, settled, `Service '${service}' stopped${note}`);
    if (request.forget !== true || stopped.kind === 'error') return stopped;
    return { ...stopped, ...newcomers.forget(service) };
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
    if (NOT_WHILE_ENDING.has(request.kind) && stageOf(outside.snapshot()) === 'ending') return error('the supervisor is shutting down');
    switch (request.kind) {
      case 'start': return start(request, exchange, accept);
      case 'add': return newcomers.add(request, exchange, accept, (service) => start({ ...request, kind: 'start', service }, exchange, accept));
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
