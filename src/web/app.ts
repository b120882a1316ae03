import { Hono } from 'hono';
import type { Access } from './access.ts';
import { assetResponse, type Asset } from './assets.ts';
import type { Streams } from './event-stream.ts';
import { authenticate, endUnread, sameOriginOnly, securityHeaders, smallBodies } from './guard.ts';
import type { CompatName } from './metrics/compat.ts';
import { contentTypes, formatFor } from './metrics/exposition.ts';
import { scrape } from './metrics/scrape.ts';
import { openApi } from './openapi.ts';
import { forEachSite, projectRoute } from './project-routes.ts';
import { json, problemResponse } from './route.ts';
import { openSites, type Sites } from './sites.ts';
import type { Supervisors } from './supervisors.ts';

export interface AppInput {
  readonly supervisors: Supervisors;
  readonly access: Access;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly streams: Streams;
  readonly readOnly: boolean;
  readonly compat: readonly CompatName[];
  readonly onProblem: (text: string) => void;
}

/** Everything that is served: the page, `/api/v1` and `/metrics`. */
export function makeApp({ supervisors, access, assets, streams, readOnly, compat, onProblem }: AppInput): {
  readonly app: Hono;
  readonly sites: Sites;
} {
  const sites = openSites(supervisors, { streams, readOnly });
  const routes = [projectRoute(sites), ...forEachSite(sites)];
  const description = openApi(routes);
  const app = new Hono();
  app.use(endUnread, securityHeaders(), sameOriginOnly(access));
  const serveAsset = (path: string, asset: Asset): unknown => app.get(path, ({ req }) => assetResponse(asset, req));
  const login = assets.get('/login.css');
  // What the page for strangers needs.
  if (login !== undefined) serveAsset('/login.css', login);
  app.use(authenticate(access), smallBodies);
  for (const [path, asset] of assets) serveAsset(path, asset);
  app.get('/metrics', async ({ req }) => {
    const format = formatFor(req.header('accept') ?? '');
    return new Response(await scrape(sites.all(), { format, compat }), { headers: { 'content-type': contentTypes[format] } });
  });
  app.get('/api/v1/openapi.json', () => json(description));
  for (const { method, path, run } of routes) app.on(method.toUpperCase(), `/api/v1${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, run);
  app.notFound(({ req: { method, path } }) => {
    if (method !== 'POST') return problemResponse(404, `there is nothing at ${path.slice(0, 200)}`, 'path');
    if (readOnly && path === '/api/v1/actions') return problemResponse(403, 'the server is read-only: nothing is ordered here', 'read-only');
    return problemResponse(405, `POST is not allowed on ${path.slice(0, 200)}`, 'method', { allow: 'GET, HEAD' });
  });
  app.onError((error) => {
    onProblem(`internal error: ${error.stack ?? error.message}`);
    return problemResponse(500, 'an internal error, which is in the log of the server', 'internal');
  });
  return { app, sites };
}
