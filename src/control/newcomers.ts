import type { ServiceSpec } from '../../machines/types.ts';
import type { RequestOf } from '../wire/requests.ts';
import type { Response } from '../wire/responses.ts';
import type { Exchange } from './connection.ts';
import type { Accept, RouteOutside } from './outside.ts';
import { accepted, collect, error, message, unknown, type Sentence } from './sentences.ts';
import type { Settling } from './tickets.ts';

/** The units there are, and the way to others. */
export interface Present {
  specs(): readonly ServiceSpec[];
  isKnown(name: string): boolean;
  /** The units are these from now on. `fresh`: those among them that may come into another slot. */
  changeTo(specs: readonly ServiceSpec[], fresh: readonly ServiceSpec[], ticket?: number | null): void;
}

/** Units that come beside those there are without a reload, and go again. */
export interface Newcomers {
  /** Starts a service of the configuration that was left out until now. */
  summon(service: string, request: RequestOf<'start'>, exchange: Exchange, accept: Accept): Promise<Response> | Response;
  /** Starts a command as a unit. `start`: for a unit that is there and runs the same. */
  add(request: RequestOf<'add'>, exchange: Exchange, accept: Accept, start: (service: string) => Promise<Response>): Promise<Response> | Response;
  /** After a stop: the unit is a unit no more. */
  forget(service: string): Sentence;
}

type Outside = Pick<RouteOutside, 'adHoc' | 'summon' | 'adoptConfig'>;

export function makeNewcomers(outside: Outside, { specs, isKnown, changeTo }: Present, { settle }: Settling): Newcomers {
  const join = async (service: string, fresh: readonly ServiceSpec[], { settlements }: Pick<RequestOf<'start'>, 'settlements'>, exchange: Exchange) => {
    const settled = await settle(exchange, {}, fresh.map(({ name }) => name), (ticket) => changeTo([...specs(), ...fresh], fresh, ticket));
    return settled === null ? accepted('Start', service) : collect({ kind: 'start', service, settlements }, settled, `Service '${service}' started`);
  };
  return {
    summon: (service, request, exchange, accept) => {
      const config = outside.summon(service);
      if (config === null) return unknown(service, specs());
      const fresh = config.specs.filter(({ name }) => !isKnown(name));
      accept('start', service);
      outside.adoptConfig({ ...config, specs: [...specs(), ...fresh] });
      return join(service, fresh, request, exchange);
    },
    add: (request, exchange, accept, start) => {
      const added = outside.adHoc.add(request);
      if (!added.ok) return error(added.reason);
      const { spec } = added;
      if (added.isKnown) return start(spec.name);
      accept('start', spec.name, { command: spec.command });
      return join(spec.name, [spec], request, exchange);
    },
    forget: (service) => {
      const problem = outside.adHoc.forget(service);
      if (problem !== null) return error(problem);
      changeTo(specs().filter(({ name }) => name !== service), []);
      return message(`Service '${service}' stopped and forgotten`);
    },
  };
}
