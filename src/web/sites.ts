import type { StatusAnswer } from '../cli/ask.ts';
import type { Streams } from './event-stream.ts';
import { openHub, type Hub } from './hub.ts';
import { watchConfig } from './mask.ts';
import { openTally, type Tally } from './metrics/tally.ts';
import { keepRecords, shareStatus } from './records.ts';
import type { Route } from './route.ts';
import { makeRoutes } from './routes.ts';
import type { Supervisors, Watched } from './supervisors.ts';

/** One supervisor as it is served, by a Watch, records and counts of its own. */
export interface Site extends Watched {
  readonly hub: Hub;
  readonly tally: Tally;
  readonly status: () => Promise<StatusAnswer>;
  /** The same ones in the same order for every site. */
  readonly routes: readonly Route[];
}

export type Sites = ReturnType<typeof openSites>;

export function openSites(supervisors: Supervisors, { streams, readOnly }: { readonly streams: Streams; readonly readOnly: boolean }) {
  const known = new Map<string, Site>();
  const siteOf = (watched: Watched): Site => {
    const { name, call } = watched;
    const found = known.get(name);
    if (found !== undefined) return found;
    const [configured, records, status] = [watchConfig(call), keepRecords(call), shareStatus(call)];
    const hub = openHub({ watched, configured, records, status });
    const site: Site = {
      ...watched, hub, status, tally: openTally(), routes: makeRoutes({ watched, configured, hub, records, status, streams, readOnly }),
    };
    known.set(name, site);
    return site;
  };
  const all = (): readonly [Site, ...Site[]] => {
    const [first, ...others] = supervisors.now();
    const names = new Set([first, ...others].map(({ name }) => name));
    for (const [name, { hub }] of known) if (!names.has(name) && !hub.isWatched) known.delete(name);
    return [siteOf(first), ...others.map(siteOf)];
  };
  return {
    every: supervisors.every,
    /** Those that are there now. */
    all,
    /** By the name of the project; null: there is none. One that has ended stays as long as a page shows it. */
    named: (name: string): Site | null => all().find((site) => site.name === name) ?? known.get(name) ?? null,
    close: () => {
      for (const { hub } of known.values()) hub.close();
    },
  };
}
