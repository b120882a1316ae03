import type { Context } from 'hono';
import { configInUse } from '../cli/config-choice.ts';
import { boolean, count, list, nullable, record, string, type Shaped } from '../wire/shape.ts';
import { json, problemResponse, type Route } from './route.ts';
import type { Site, Sites } from './sites.ts';

/** With `--all` all of them, which `every` says. `problem`: why its supervisor does not answer. */
const projects = record({
  every: boolean,
  projects: list(record({ name: string, config: nullable(string), health: nullable(string), units: count, running: count, problem: nullable(string) })),
});

export interface Projects extends Shaped<typeof projects> {}

/** The supervisors that are served: with `--all` one for each project. */
export function projectRoute(sites: Sites): Route {
  return {
    method: 'get', path: '/projects', about: 'The projects that are served; the name of the supervisor without a project is -', answer: projects,
    run: async () => json({ every: sites.every, projects: await Promise.all(sites.all().map(summary)) }),
  };
}

/** The same route for each supervisor: which one is meant is said by `project`. */
export function forEachSite(sites: Sites): readonly Route[] {
  return sites.all()[0].routes.map((route, index) => ({
    ...route,
    query: { ...route.query, project: 'the name of a project, as /projects has it; default: the first of them, and none for an order where there are several' },
    run: async (context) => {
      const site = siteFor(context, sites);
      return site instanceof Response ? site : (site.routes[index] ?? route).run(context);
    },
  }));
}

/** What is ordered without a project could reach another supervisor than the one that was meant. */
function siteFor({ req }: Context, sites: Sites): Site | Response {
  const name = req.query('project');
  const all = sites.all();
  const names = all.map((site) => site.name).join(', ');
  if (name !== undefined) return sites.named(name) ?? problemResponse(404, `project: there is no supervisor of '${name.slice(0, 60)}' here, expected one of ${names}`, 'project');
  return req.method === 'POST' && all.length > 1 ? problemResponse(400, `project: expected one of ${names}, since there are several`, 'project') : all[0];
}

async function summary({ name, call, status }: Site): Promise<Projects['projects'][number]> {
  const answer = await status();
  const units = answer.ok ? answer.snapshot.units.filter(({ kind }) => kind !== 'orphaned') : [];
  return {
    name, config: configInUse(call), health: answer.ok ? answer.snapshot.overall_health : null, units: units.length,
    running: units.filter(({ process }) => process !== undefined).length, problem: answer.ok ? null : answer.refusal.message,
  };
}
