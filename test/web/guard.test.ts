import { expect, test } from 'vitest';
import { answering, host, makeCall, makeWeb, token, unit } from './rig.ts';

const anonymous = { authorization: '' };

test('without the token there is nothing but a page that asks for the token', async () => {
  const { ask, post } = makeWeb(makeCall());
  for (const path of ['/api/v1/status', '/api/v1/events', '/metrics', '/page.js', '/api/v1/openapi.json', '/anything']) {
    const answer = await ask(path, { headers: anonymous });
    expect([answer.status, answer.headers.get('content-type')], path).toEqual([401, 'application/problem+json']);
  }
  expect((await post('/api/v1/actions', { verb: 'stop', units: ['web'] }, anonymous)).status).toBe(401);
  const front = await ask('/', { headers: anonymous });
  expect([front.status, front.headers.get('content-type')]).toEqual([401, 'text/html; charset=UTF-8']);
  expect(await front.text()).not.toContain('<script');
});

test('the token in the address is changed for a cookie that no script and no other site gets', async () => {
  const { ask, access } = makeWeb(makeCall());
  const entered = await ask(`/?token=${token}`, { headers: anonymous });
  expect([entered.status, entered.headers.get('location')]).toEqual([303, '/']);
  const cookie = entered.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/^sysg_web_9080=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  expect(cookie).not.toContain(token);
  const inside = await ask('/', { headers: { ...anonymous, cookie: cookie.split(';')[0] ?? '' } });
  expect([inside.status, await inside.text()]).toEqual([200, '<!doctype html>']);
  expect((await ask('/', { headers: { ...anonymous, cookie: `${access.cookieName}=${token}` } })).status).toBe(401);
  expect((await ask(`/?token=${token}x`, { headers: anonymous })).status).toBe(401);
  expect((await ask(`/metrics?token=${token}`, { headers: anonymous })).status).toBe(401);
});

test('a link that sysg web has made lets one browser in, and then there is another link', async () => {
  const { ask, access, links } = makeWeb(makeCall(), { once: true });
  const enter = (word: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> => ask(`/?token=${word}`, { method, headers: { ...anonymous, ...headers } });
  // Whoever looks ahead uses nothing up.
  expect([(await enter(token, {}, 'HEAD')).status, (await enter(token, { 'sec-purpose': 'prefetch;prerender' })).status, links]).toEqual([401, 401, []]);
  const entered = await enter(token);
  const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  expect([entered.status, links.length]).toEqual([303, 1]);
  const again = await enter(token);
  expect([again.status, again.headers.get('set-cookie'), await again.text()]).toEqual([401, null, expect.stringContaining('This link has been used')]);
  expect((await enter(token, { cookie: `${access.cookieName}=nonsense` })).status).toBe(401);
  // The browser that is inside may use its bookmark, and uses no other link up.
  expect([(await enter(token, { cookie })).status, (await enter(links[0] ?? '', { cookie })).status, links.length]).toEqual([303, 303, 1]);
  expect([(await enter(links[0] ?? '')).status, (await enter(links[0] ?? '')).status, links.length, new Set([token, ...links]).size]).toEqual([303, 401, 2, 3]);
  expect((await ask('/api/v1/openapi.json')).status).toBe(200);
  expect((await ask('/api/v1/openapi.json', { headers: { authorization: `Bearer ${links[1]}` } })).status).toBe(401);
  const wrong = await enter('wrong', { cookie });
  expect([wrong.status, await wrong.text()]).toEqual([401, expect.stringContaining('<code>sysg web</code> has printed')]);
});

test.each(['evil.example', 'evil.example:9080', '127.0.0.1.evil.example:9080', 'localhost.evil.example', '', '127.0.0.1:9080@evil.example', '[::1', '10.0.0.1:9080'])(
  'a Host of %j is refused, whatever the client knows', async (foreign) => {
    const { ask } = makeWeb(makeCall());
    for (const path of ['/', `/?token=${token}`, '/api/v1/status', '/metrics', '/login.css']) expect((await ask(path, { headers: { host: foreign } })).status, path).toBe(403);
  },
);

test.each(['127.0.0.1:9080', 'localhost:9080', 'LOCALHOST', '[::1]:9080', '127.0.0.2:1'])('a Host of %j is our own: ports may be forwarded', async (own) => {
  expect((await makeWeb(makeCall()).ask('/', { headers: { host: own } })).status).toBe(200);
});

test.each(['https://evil.example', 'null', `http://${host}.evil.example`, 'http://127.0.0.1:9081', 'http://localhost:9080'])('an Origin of %j is refused', async (origin) => {
  const { ask, post } = makeWeb(makeCall());
  expect((await ask('/api/v1/status', { headers: { origin } })).status).toBe(403);
  expect((await post('/api/v1/actions', { verb: 'stop', units: ['web'] }, { origin })).status).toBe(403);
});

test('a name that is allowed is our own, and so is a page of that name at whatever port a proxy serves it', async () => {
  const call = makeCall();
  await answering(call, { units: [unit('web')] });
  const { ask, post } = makeWeb(call, { allowedHosts: ['sysg.example.org', 'box.local'] });
  const order = (origin: string, called: string): Promise<number> => (
    post('/api/v1/actions', { verb: 'stop', units: ['web'] }, { host: called, origin, 'sec-fetch-site': 'same-origin' }).then(({ status }) => status));
  for (const called of ['sysg.example.org', 'SYSG.example.org:8443', 'box.local:9080', host]) expect((await ask('/', { headers: { host: called } })).status, called).toBe(200);
  // As a proxy hands it on: Host as the browser had it, without its port, or the name of the server behind the proxy.
  for (const called of ['sysg.example.org:8443', 'sysg.example.org', host]) {
    expect(await order('https://sysg.example.org:8443', called), called).toBe(202);
    for (const origin of ['https://evil.example', 'https://evil.sysg.example.org', 'https://sysg.example.org.evil.example', 'https://sysg.example.org@evil.example', 'null', 'chrome-extension://sysg.example.org', 'http://127.0.0.1:9081'])
      expect(await order(origin, called), origin).toBe(403);
  }
  for (const called of ['evil.example', 'www.box.local', 'example.org', 'sysg.example.org.evil.example']) {
    const refused = await ask('/', { headers: { host: called } });
    expect([refused.status, await refused.text()], called).toEqual([403, expect.stringContaining('--allowed-host')]);
  }
});

test('an order needs a body that no form can send, and is not taken from another site', async () => {
  const call = makeCall();
  const { asked } = await answering(call, { units: [unit('web')] });
  const { post } = makeWeb(call);
  const order = { verb: 'stop', units: ['web'] };
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', '']) {
    expect((await post('/api/v1/actions', order, { 'content-type': type })).status, type).toBe(415);
  }
  expect((await post('/api/v1/actions', order, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await post('/api/v1/actions', order, { 'sec-fetch-site': 'same-site' })).status).toBe(403);
  expect(asked).toEqual([]);
  expect((await post('/api/v1/actions', order, { 'sec-fetch-site': 'same-origin', origin: `http://${host}` })).status).toBe(202);
});

test('other methods are refused, and no GET orders anything', async () => {
  const { ask } = makeWeb(makeCall());
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) expect((await ask('/api/v1/actions', { method })).status, method).toBe(405);
  expect((await ask('/api/v1/actions')).status).toBe(404);
  expect((await ask('/api/v1/simulate')).status).toBe(404);
});

test('a body above 64 KiB is refused, with and without its length', async () => {
  const { post, ask } = makeWeb(makeCall());
  const large = JSON.stringify({ verb: 'stop', units: ['x'.repeat(70_000)] });
  expect((await post('/api/v1/actions', large, { 'content-length': String(large.length) })).status).toBe(413);
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(large));
      controller.close();
    },
  });
  expect((await ask('/api/v1/actions', { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } } as RequestInit & { headers: Record<string, string> })).status).toBe(413);
});

test.each(['/../package.json', '/..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/.git/config', '//etc/passwd', '/api/v1/../../etc/passwd', '/web/page.js', '/api/v1/units/..%2f..%2fx/logs'])(
  'no path leads to the file system: %s', async (path) => {
    const answer = await makeWeb(makeCall()).ask(path);
    expect([404, 503]).toContain(answer.status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  },
);

test('every answer forbids foreign content, frames and guessing of types', async () => {
  const { ask } = makeWeb(makeCall());
  for (const path of ['/', '/api/v1/status', '/nothing', '/metrics']) {
    const { headers } = await ask(path);
    expect(headers.get('content-security-policy'), path).toMatch(/default-src 'none'; script-src 'self';.*frame-ancestors 'none'/);
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*/);
    expect([headers.get('x-content-type-options'), headers.get('referrer-policy'), headers.get('access-control-allow-origin')]).toEqual(['nosniff', 'no-referrer', null]);
  }
});

test('read-only: nothing is ordered, rehearsals go on', async () => {
  const call = makeCall('version: "1"\nservices:\n  web: {command: "sleep 1000"}\n');
  const { post, ask } = makeWeb(call, { readOnly: true });
  expect((await post('/api/v1/actions', { verb: 'stop', units: ['web'] })).status).toBe(403);
  expect((await post('/api/v1/simulate', { events: ['web@1s=exit:1'] })).status).toBe(200);
  expect(JSON.stringify(await (await ask('/api/v1/openapi.json')).json())).not.toContain('/actions');
});

test('streams are as many as there may be, and one that ends makes room', async () => {
  const call = makeCall();
  await answering(call, { units: [unit('web')] });
  const { ask, streams } = makeWeb(call, { mostStreams: 2 });
  const [first, second, third] = [await ask('/api/v1/events'), await ask('/api/v1/events'), await ask('/api/v1/events')];
  expect([first.status, second.status, third.status, streams.count]).toEqual([200, 200, 503, 2]);
  await first.body?.cancel();
  expect((await ask('/api/v1/events')).status).toBe(200);
});

test('a question for the headers of a stream alone takes no place among the streams', async () => {
  const call = makeCall();
  await answering(call, { units: [unit('web')] });
  const { ask, streams } = makeWeb(call);
  for (const path of ['/api/v1/events', '/api/v1/units/web/logs/stream']) {
    const { status, headers, body } = await ask(path, { method: 'HEAD' });
    expect([status, headers.get('content-type'), body, streams.count], path).toEqual([200, 'text/event-stream', null, 0]);
  }
});
