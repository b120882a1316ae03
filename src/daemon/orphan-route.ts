import { orphanText } from '../compat/orphans.ts';
import type { Exchange, Route } from '../control/connection.ts';
import type { ReadConfig } from '../control/outside.ts';
import { error, message } from '../control/sentences.ts';
import { shellWord } from '../words.ts';
import type { Response } from '../wire/responses.ts';
import type { Request, RequestOf } from '../wire/requests.ts';
import type { Orphans } from './orphans.ts';

/** What another supervisor left running is no unit: of all requests it is ended by a stop that names it, and a unit of its name would be its second copy. */
export function routeOrphans(orphans: Orphans, route: Route, record: (request: RequestOf<'stop'>, exchange: Exchange) => Promise<void>): Route {
  const stop = async (request: RequestOf<'stop'>, service: string, exchange: Exchange): Promise<Response> => {
    await record(request, exchange);
    if (await orphans.end(service) === false) return error(`Failed to stop service '${service}': some of its processes survive SIGKILL`);
    return { ...message(`Service '${service}' stopped`), ...(request.settlements === true && { units: [{ unit: service, result: 'stopped' }] }) };
  };
  return async (request, exchange) => {
    const name = nameIn(request);
    if (name === null || !orphans.living().some((orphan) => orphan.name === name)) {
      const response = await route(request, exchange);
      return request.kind === 'shutdown' && response?.kind === 'message' ? { ...response, text: [response.text, ...orphans.living().map(orphanText)].join('; ') } : response;
    }
    return request.kind === 'stop' ? stop(request, name, exchange) : error(secondCopy(name));
  };
}

/** Refuses a configuration that names what another supervisor left running: it would be started beside that. */
export function withoutOrphans(orphans: Orphans, config: ReadConfig): ReadConfig {
  const living = config.ok ? orphans.living().find(({ name }) => config.specs.some((spec) => spec.name === name)) : undefined;
  if (living === undefined) return config;
  const problems = secondCopy(living.name);
  return { ok: false, problems, error: problems };
}

function nameIn(request: Request): string | null {
  if (request.kind === 'add') return request.name;
  return request.kind === 'start' || (request.kind === 'stop' && request.forget !== true) ? request.service : null;
}

function secondCopy(name: string): string {
  return `Service '${name}' runs without supervision, left by another supervisor, and would be started a second time; to end it first: sysg stop -s ${shellWord(name)}`;
}
