import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie } from 'hono/cookie';
import type { Access } from './access.ts';
import { problemResponse } from './route.ts';

/** No script, style or image from anywhere else, none in the page itself, and no frame around it. */
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
  "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
].join('; ');

const SECURITY = [
  ['content-security-policy', POLICY], ['x-content-type-options', 'nosniff'], ['x-frame-options', 'DENY'], ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-origin'], ['cross-origin-opener-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=()'],
] as const;

const MOST_BODY_BYTES = 65_536;

/** Headers that every answer has. */
export function securityHeaders(): MiddlewareHandler {
  return async (context, next) => {
    await next();
    const { headers } = context.res;
    for (const [name, value] of SECURITY) headers.set(name, value);
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  };
}

/**
 * Refuses by Host, method, Origin and kind of body, before anything else looks at the request.
 * A request that changes something cannot be made by another site.
 */
export function sameOriginOnly({ isOurName, isOurPage }: Access): MiddlewareHandler {
  return async (context, next) => {
    const { req } = context;
    const host = req.header('host') ?? '';
    if (!isOurName(host))
      return problemResponse(403, `the server is not called '${excerpt(host)}': expected the name or address it listens on, or a name that sysg web is given with --allowed-host`, 'host');
    if (!['GET', 'HEAD', 'POST'].includes(req.method))
      return problemResponse(405, `expected GET, HEAD or POST, got ${excerpt(req.method)}`, 'method', { allow: 'GET, HEAD, POST' });
    const origin = req.header('origin');
    if (origin !== undefined && !isOurPage(origin, host)) {
      return problemResponse(403, `the request comes from ${excerpt(origin)}: expected the page of this server`, 'origin');
    }
    if (req.method === 'POST') {
      const site = req.header('sec-fetch-site');
      if (site !== undefined && site !== 'same-origin')
        return problemResponse(403, `the request comes from another site (${excerpt(site)})`, 'origin');
      // A form cannot send it, and another site cannot without being asked first.
      if (!/^application\/json\s*(;|$)/i.test(req.header('content-type') ?? ''))
        return problemResponse(415, 'expected a body of type application/json', 'content-type');
    }
    return next();
  };
}

/** What a HEAD asks for is the answer to a GET without its body: a stream that nobody reads would keep its place. */
export const endUnread: MiddlewareHandler = async (context, next) => {
  await next();
  if (context.req.method === 'HEAD') await context.res.body?.cancel();
};

export const smallBodies: MiddlewareHandler = bodyLimit({
  maxSize: MOST_BODY_BYTES, onError: () => problemResponse(413, `expected at most ${MOST_BODY_BYTES} bytes`, 'body'),
});

/** Lets in who has the cookie, or the token as `Authorization: Bearer`. The token in the address is changed for the cookie at once, and is good for one browser where `sysg web` has made it. */
export function authenticate(access: Access): MiddlewareHandler {
  return async (context, next) => {
    const { req } = context;
    const cookie = getCookie(context, access.cookieName);
    const isKnown = cookie !== undefined && access.isCookie(cookie);
    const given = req.path === '/' ? req.query('token') : undefined;
    if (given !== undefined) {
      const judgement = access.judge(given);
      if (judgement === 'wrong' || (judgement === 'used' && !isKnown)) return askForToken(context, judgement);
      // Whoever only looks ahead has not entered, and who is inside needs no other link.
      const looksAhead = req.method === 'HEAD' || /prefetch|preview/i.test(`${req.header('sec-purpose') ?? ''} ${req.header('purpose') ?? ''}`);
      if (looksAhead && !isKnown) return askForToken(context, 'none');
      if (!isKnown) access.use(given);
      return new Response(null, { status: 303, headers: { location: '/', 'set-cookie': `${access.cookieName}=${access.cookie}; Path=/; HttpOnly; SameSite=Strict` } });
    }
    const bearer = /^Bearer +(\S+)$/i.exec(req.header('authorization') ?? '')?.[1];
    if (isKnown || (bearer !== undefined && access.isToken(bearer))) return next();
    if (req.path === '/') return askForToken(context, 'none');
    const headers = { 'www-authenticate': 'Bearer realm="sysg"' };
    return problemResponse(401, 'expected the cookie of the page, or the token as Authorization: Bearer', 'token', headers);
  };
}

const requests = {
  none: 'Open the address that <code>sysg web</code> has printed, or give its token.',
  wrong: 'This token is not the one of the running page server. The right one is in the address that <code>sysg web</code> has printed where it runs, or in its token file.',
  used: 'This link has been used, and is good for one browser. <code>sysg web</code> has printed another one where it runs; if that cannot be seen, end it and run <code>sysg web</code> again.',
} as const;

function askForToken(context: Context, why: keyof typeof requests): Response | Promise<Response> {
  return context.html(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>sysg</title><link rel="stylesheet" href="/login.css"></head><body class="login"><main><h1>sysg</h1><p>${requests[why]}</p>
<form action="/" method="get"><label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="off" required autofocus><button>Enter</button></form></main></body></html>`,
    401,
  );
}

function excerpt(text: string): string {
  return text.slice(0, 80);
}
