import { readFileSync, writeFileSync } from 'node:fs';
import { request, type ClientRequest } from 'node:http';
import { connect } from 'node:net';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import type { Page } from 'puppeteer-core';
import { kill } from '../kill.ts';
import { isAlive, makeHome, soon } from './rig.ts';
import { chromium, openPage, press, see, serveWeb, visit } from './web-rig.ts';

const units = `version: "1"
services:
  db: {command: "exec $PROGRAMS/forever"}
  api:
    command: "echo '<img src=x onerror=alert(1)>'; exec $PROGRAMS/forever"
    depends_on: [db]
    restart_policy: always
    backoff: 2s
    env: {vars: {API_KEY: hunter2secret}}
  tick: {command: "echo tick", cron: {expression: "0 0 1 1 *"}}
`;

test('the page is small, and asks for nothing from anywhere else', () => {
  const files = ['index.html', 'page.js', 'page.css', 'icon.svg'].map((name) => readFileSync(join(import.meta.dirname, '../../dist/web', name)));
  expect(files.reduce((sum, text) => sum + gzipSync(text).length, 0)).toBeLessThan(150 * 1024);
  expect(files[0]?.toString()).not.toMatch(/<script(?![^>]*src="\/page\.js")|style=|https?:\/\//);
});

test('sysg web is a process of its own, which ends alone and in order', async () => {
  const home = makeHome(units);
  expect((await home.sysg('start', '--daemonize', '-c', home.config)).code).toBe(0);
  const printed = await home.sysg('metrics', '--compat', 'supervisord');
  expect([printed.code, printed.stdout]).toEqual([0, expect.stringMatching(/^sysg_unit_state\{unit="api",state="running"\} 1$[^]*^node_supervisord_state\{group="api",name="api"\} 20$/m)]);
  const { url, token, server } = await serveWeb(home);
  const answer = await fetch(`${url}/api/v1/status`, { headers: { authorization: `Bearer ${token}` } });
  expect(await answer.json()).toMatchObject({ units: expect.arrayContaining([expect.objectContaining({ name: 'api', phase: 'running' })]) });
  expect((await fetch(`${url}/api/v1/status`)).status).toBe(401);
  const ended = new Promise((done) => void server.once('exit', (code, signal) => done({ code, signal })));
  server.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, signal: null });
  expect((await home.unit('api')).phase).toBe('running');
  await home.sysg('stop');
  expect((await home.sysg('metrics')).stdout).toMatch(/^sysg_up 0$/m);
});

test('an address for others needs a token file, and a port that is taken is said to be', async () => {
  const home = makeHome();
  const refused = await home.sysg('web', '--listen', '0.0.0.0:0');
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--token-file')]);
  const { url } = await serveWeb(home);
  const taken = await home.sysg('web', '--listen', new URL(url).host);
  expect([taken.code, taken.stderr]).toEqual([1, expect.stringMatching(/cannot listen on 127\.0\.0\.1:\d+: Address (already )?in use.*--listen 127\.0\.0\.1:0$/im)]);
  for (const [flag, ...words] of [['--listen', 'nonsense'], ['--allowed-host', 'box.local', '--allowed-host', 'https://sysg.example.org']] as const) {
    const wrong = await home.sysg('web', flag, ...words);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(new RegExp(`${flag}: expected .*, got "${words.at(-1)}"`))]);
  }
});

test('hostile clients get nothing and hold up nobody', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { url, token, server } = await serveWeb(home);
  const { hostname, port } = new URL(url);
  const raw = (text: string): Promise<string> => new Promise((done) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk)).on('close', () => done(answer)).on('error', () => done(answer));
  });
  const own = `Host: ${hostname}:${port}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n`;
  expect(await raw(`GET /../../../etc/passwd HTTP/1.1\r\n${own}\r\n`)).toMatch(/^HTTP\/1\.1 404 /);
  expect(await raw(`GET http://evil.example/api/v1/status HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 /);
  expect(await raw(`GET /api/v1/status HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 40[03] /);
  expect(await raw(`GET / HTTP/1.1\r\n${own}X-Large: ${'x'.repeat(70_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  expect(await raw('not http at all\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  expect(await raw(`POST /api/v1/actions HTTP/1.1\r\n${own}Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{`)).toMatch(/^HTTP\/1\.1 413 /);
  // Streams that nobody reads, and connections that say nothing.
  const idle = Array.from({ length: 20 }, () => connect(Number(port), hostname));
  const unread = Array.from({ length: 20 }, () => {
    const stream = request(`${url}/api/v1/events`, { headers: { authorization: `Bearer ${token}` } });
    stream.on('response', (response) => response.pause()).on('error', () => undefined).end();
    return stream;
  });
  const began = performance.now();
  expect((await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  expect(performance.now() - began).toBeLessThan(5000);
  for (const socket of idle) socket.on('error', () => undefined).destroy();
  for (const stream of unread) stream.destroy();
  expect(isAlive(server.pid ?? 0)).toBe(true);
});

const browserTest = test.skipIf(chromium === null);
if (chromium === null) console.warn('the tests of the page in a browser are skipped: no Chromium was found (apt-get install chromium)');

/** What a finger misses, and fields for which a phone enlarges the page. In the page. */
function tooSmall(): readonly string[] {
  return [...document.querySelectorAll<HTMLElement>('button, select, input, nav a, .brand, .button, .units tbody a')].filter((element) => {
    const { width, height } = element.getBoundingClientRect();
    const least = element.matches('input[type=checkbox], button.link, [type=range]') ? 24 : 44;
    const isField = element.matches('select, input:not([type=checkbox], [type=range])');
    return width > 0 && (height < least || width < Math.min(least, 32) || (isField && Number.parseFloat(getComputedStyle(element).fontSize) < 16));
  }).map(({ outerHTML }) => outerHTML.slice(0, 120));
}

/** What is serious by the rules of axe. */
async function faults(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] }> } };
    return (await axe.run()).violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
  });
}

browserTest('every view opens without a complaint, for readers and keyboards too, in light and dark and on a narrow screen', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { link } = await serveWeb(home);
  const { page, complaints } = await openPage(link);
  await see(page, '.units', 'api');
  expect(new URL(page.url()).search, 'the token has left the address').toBe('');
  const views = [['#/', 'Units', '.units', 'tick'], ['#/unit/api', 'api', '.why', 'has been running'], ['#/unit/tick', 'tick', '.why', 'waits for its next run'], ['#/graph', 'Dependencies', '.graph', 'db'],
    ['#/rehearse/api', 'Rehearse', '.rehearse', 'in the end'], ['#/supervisor', 'Supervisor', 'main', 'It is serving']] as const;
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    for (const [fragment, heading, where, text] of views) {
      await visit(page, fragment, heading);
      await see(page, where, text);
      if (fragment === '#/unit/api') await page.waitForSelector('.chart .present');
      expect(await faults(page), `${fragment} ${scheme}`).toEqual([]);
    }
  }
  await page.setViewport({ width: 360, height: 740 });
  for (const [fragment, heading] of views) {
    await visit(page, fragment, heading);
    // A choice is as wide as its longest word, such as the name of a unit.
    await page.evaluate(() => {
      for (const option of document.querySelectorAll('option')) option.label = 'a-name-that-is-longer-than-a-phone-is-wide-and-goes-on';
    });
    expect(await page.evaluate(() => document.documentElement.scrollWidth), fragment).toBeLessThanOrEqual(360);
    expect(await page.evaluate(tooSmall), fragment).toEqual([]);
    // Rows are cards, in which each value has its title.
    expect(await page.$$eval('.cards td', (cells) => cells.filter((cell) => getComputedStyle(cell, '::before').content === 'none').length), fragment).toBe(0);
  }
  // What a person with a phone wants to know comes before the chart, below a header of two rows.
  await visit(page, '#/unit/api', 'api');
  await see(page, '.why', 'has been running');
  const [header = 0, why = 0, chart = 0] = await page.evaluate(() => ['header', '.why', '.chart'].map((where, at) => {
    const box = document.querySelector(where)?.getBoundingClientRect();
    return at === 0 ? box?.bottom : box?.top;
  }));
  expect([header < 100, header < why, why < chart]).toEqual([true, true, true]);
  const text = await page.evaluate(() => document.documentElement.outerHTML);
  expect(text).not.toContain('hunter2');
  expect(complaints).toEqual([]);
});

browserTest('an incident is seen live: crash, backoff, recovery, with the chart, the reasons and the log', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { link } = await serveWeb(home);
  const { page, complaints } = await openPage(`${link}#/unit/api`);
  await see(page, '.why', 'api has been running');
  // What a service writes is text.
  await see(page, '.lines', '<img src=x onerror=alert(1)>');
  // What a busy machine shows for a moment only is noted by the page itself.
  await page.evaluate(() => {
    const noted = new Set<string>();
    Object.assign(globalThis, { noted });
    const note = (): void => {
      for (const [where, selector] of [['bar', '.bar .state'], ['chart', '.chart .present text']] as const) noted.add(`${where} ${document.querySelector(selector)?.textContent ?? ''}`);
    };
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    note();
  });
  const noted = async (where: string, state: string): Promise<void> => {
    await page.waitForFunction((place, word) => (
      [...(globalThis as unknown as { noted: Set<string> }).noted].some((text) => text.startsWith(place) && text.includes(word))), { timeout: 20_000 }, where, state);
  };
  const present = (): Promise<string> => page.$eval('.chart .present text', (element) => element.textContent ?? '').catch(() => '');
  await soon('running is marked', async () => await present() === 'running');
  kill((await home.unit('api')).process?.pid);
  await noted('bar', 'backoff');
  await noted('chart', 'backoff');
  await see(page, '.why', 'killed by SIGKILL');
  await see(page, '.records', 'SIGKILL');
  await see(page, '.bar .state', 'running');
  await soon('running is marked again', async () => await present() === 'running');
  // An arrow lists its records.
  const taken = await page.$$eval('.edge.taken', (edges) => edges.map((edge) => edge.getAttribute('aria-label')));
  expect(taken.some((label) => label?.includes('judging → backoff') === true)).toBe(true);
  await page.evaluate(() => [...document.querySelectorAll('.edge.taken')].find((edge) => edge.getAttribute('aria-label')?.includes('judging → backoff'))?.dispatchEvent(new MouseEvent('click', { bubbles: true })));
  await see(page, '[aria-label="Records of the arrow"]', 'clearing → backoff');
  expect(complaints).toEqual([]);
});

browserTest('orders: by key and by button, each with its ticket; several at once are asked about; the plan comes before the reload', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { link } = await serveWeb(home);
  const { page, complaints } = await openPage(link);
  await see(page, '.units', 'api');
  await page.waitForSelector('.acts');
  for (const key of ['j', 'r']) await page.keyboard.press(key as 'j');
  await see(page, 'dialog', 'restart api?');
  await page.click('dialog .danger');
  await see(page, '.tickets', "Service 'api' restarted");
  expect((await home.unit('api')).generation).toBe(2);
  await page.waitForFunction(() => document.querySelector('dialog') === null);
  await page.evaluate(() => document.body.focus());
  await page.keyboard.press('Space');
  for (const key of ['j', ' ', 's']) await page.keyboard.press(key as 'j');
  await see(page, 'dialog', 'stop 2 units?');
  expect((await home.unit('api')).phase, 'nothing before the answer').toBe('running');
  await page.click('dialog .danger');
  await see(page, '.tickets', "Service 'db' stopped");
  expect([(await home.unit('api')).phase, (await home.unit('db')).phase]).toEqual(['stopped', 'stopped']);
  // All that are shown at once, and another order.
  await page.click('[aria-label="Mark all that are shown"]');
  expect(await page.$$eval('.units tbody input:checked', (boxes) => boxes.length)).toBe(3);
  await page.click('[aria-label="Mark all that are shown"]');
  await page.evaluate(() => [...document.querySelectorAll<HTMLElement>('th button')].find(({ textContent }) => textContent?.startsWith('Unit'))?.click());
  await page.keyboard.press('O');
  await page.waitForFunction(() => [...document.querySelectorAll('.units tbody a')].map(({ textContent }) => textContent).join(' ') === 'tick db api');
  await page.evaluate(() => (document.activeElement instanceof HTMLElement ? document.activeElement.blur() : undefined));
  await page.keyboard.press('G');
  await page.keyboard.press('S');
  await home.until('api', ({ phase }) => phase === 'running', 'runs again');
  // No order means what the filter hides. Enter leaves the filter on the first unit; `l` opens that with its log first, and another page begins at its top.
  await page.keyboard.press('f');
  await page.keyboard.type('tick');
  await page.waitForFunction(() => document.querySelectorAll('.units tbody tr').length === 1 && document.querySelector<HTMLButtonElement>('.acts button')?.disabled);
  await page.keyboard.press('Enter');
  await page.keyboard.press('l');
  await page.waitForFunction(() => document.querySelector('.unit > section')?.ariaLabel === 'Logs' && document.activeElement?.className === 'lines');
  await page.waitForFunction(() => {
    scrollTo(0, 200);
    return scrollY === 200;
  });
  await visit(page, '#/unit/api', 'api');
  await page.waitForFunction(() => scrollY === 0);
  // Keys go on where the log, or a unit in the graph, has the focus.
  await page.focus('.lines');
  await page.keyboard.press('d');
  await see(page, '.alone', 'tick');
  await page.$eval('.graph .node', (node) => (node as SVGElement).focus());
  await page.keyboard.press('u');
  await see(page, 'h1', 'Units');
  await page.keyboard.press('q');
  await page.waitForFunction(() => document.querySelectorAll('.units tbody tr').length === 3);
  await visit(page, '#/unit/tick', 'tick');
  await press(page, 'Run now');
  await see(page, '[aria-label="Runs"]', 'succeeded');
  home.configure(units.replace('tick:', 'more: {command: "exec $PROGRAMS/forever"}\n  tick:'));
  await visit(page, '#/', 'Units');
  await press(page, 'Reload…');
  await see(page, 'dialog', 'new in the configuration');
  await page.click('dialog .primary');
  await see(page, '.units', 'more');
  expect(complaints).toEqual([]);
  // The plan of a file that cannot be read is not that of the file as it was when the plan was looked at last.
  home.configure('services: [');
  await press(page, 'Reload…');
  await see(page, 'dialog [role=alert]', home.config);
  expect(await page.$eval('dialog', ({ textContent }) => textContent)).not.toContain('Nothing would change');
  expect(await page.$eval('dialog .primary', (button) => (button as HTMLButtonElement).disabled)).toBe(true);
});

browserTest('five tabs of one browser, whose clock is an hour behind: each has its events and logs in front, and shows the times of the server', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { link, url } = await serveWeb(home);
  const { page } = await openPage(`${link}#/unit/api`);
  await see(page, '.lines', 'onerror');
  for (let tab = 0; tab < 4; tab += 1) {
    const more = await page.browser().newPage();
    await more.evaluateOnNewDocument(() => {
      const { now } = Date;
      Date.now = () => now() - 3_600_000;
    });
    await more.goto(`${url}/#/unit/api`, { waitUntil: 'domcontentloaded' });
    await see(more, '.lines', 'onerror');
    await more.waitForFunction(() => /^for \d+s|^for [1-5]m/.test(document.querySelector('.bar .faint')?.textContent ?? ''));
  }
  // The first one comes back with what happened meanwhile.
  await home.sysg('restart', 'api');
  await page.bringToFront();
  await see(page, '.records', 'starting → running');
  await page.waitForFunction(() => [...document.querySelectorAll('.lines > *')].filter(({ textContent }) => textContent?.includes('onerror')).length === 2);
  await press(page, 'Restart');
  await see(page, '.tickets', "Service 'api' restarted");
});

browserTest('a screen reader is told what changed, once, and the focus stays where it was while rows move, dialogs close and pages change', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { page } = await openPage((await serveWeb(home)).link);
  await see(page, '#row-api', 'running');
  // Whatever else changes by itself is silent; tickets answer to orders.
  const spoken = (): Promise<readonly string[]> => (
    page.$$eval('[role=status], [role=log]:not([aria-live=off]), [aria-live]:not([aria-live=off])', (all) => all.map(({ className }) => className)));
  expect(await spoken()).toEqual(['hidden', 'tickets']);
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(globalThis, { said });
    const status = document.querySelector('[role=status]');
    if (status !== null) new MutationObserver(() => void said.push(status.textContent ?? '')).observe(status, { subtree: true, childList: true, characterData: true });
  });
  const said = (text: string): Promise<unknown> => page.waitForFunction((part) => (globalThis as unknown as { said: string[] }).said.some((each) => each.includes(part)), { timeout: 20_000 }, text);
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '');
  await page.focus('#row-tick a');
  kill((await home.unit('api')).process?.pid);
  await said('api is in backoff');
  await said('api is running');
  kill((await home.unit('db')).process?.pid);
  await said('db failed');
  expect(await focused()).toBe('tick');
  // Another order moves the row, which takes the focus with it.
  for (const key of ['o', 'O'] as const) await page.keyboard.press(key);
  await page.waitForFunction(() => document.querySelector('.units tbody a')?.textContent === 'tick');
  expect(await focused()).toBe('tick');
  await page.focus('#row-api a');
  for (const key of ['g', 'j', 's'] as const) await page.keyboard.press(key);
  await see(page, 'dialog', 'stop');
  await page.evaluate(() => [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Cancel')?.click());
  await page.waitForFunction(() => document.querySelector('dialog') === null && document.activeElement?.textContent === 'api');
  // A long list of keys begins at its top, and its button is below.
  await page.keyboard.press('?');
  await page.waitForFunction(() => document.activeElement?.className === 'keys');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.querySelector('dialog') === null && document.activeElement?.textContent === 'api');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.tagName === 'H1' && document.activeElement.textContent === 'api');
  expect(await spoken()).toEqual(['hidden', 'tickets']);
  // By the number of a record to its causes; the button that leads back is gone then, and what is around it has the focus.
  await page.waitForSelector('[aria-label=Timeline] .records tbody button');
  await page.focus('[aria-label=Timeline] .records tbody button');
  await page.keyboard.press('Enter');
  await see(page, '[aria-label=Timeline] > button', 'Show the last ones again');
  await page.focus('[aria-label=Timeline] > button');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.ariaLabel === 'Timeline');
  await page.keyboard.press('q');
  await page.waitForFunction(() => document.activeElement?.closest('#row-api') !== null);
});

browserTest('rows keep their places while the pointer is over them', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { page } = await openPage((await serveWeb(home)).link);
  const names = (): Promise<readonly (string | null)[]> => page.$$eval('.units tbody a', (links) => links.map(({ textContent }) => textContent));
  await see(page, '#row-db', 'running');
  await page.hover('#row-tick');
  kill((await home.unit('db')).process?.pid);
  await see(page, '#row-db', 'failing');
  expect(await names()).toEqual(['api', 'db', 'tick']);
  await page.mouse.move(2, 2);
  await soon('what fails is first', async () => (await names())[0] === 'db');
});

browserTest('a rehearsal: a fault dropped on the time line, and the states scrubbed through; nothing is stopped', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { link } = await serveWeb(home, '--read-only');
  const { page, complaints } = await openPage(`${link}#/rehearse/api`);
  await see(page, '.rehearse', 'in the end');
  const lane = await page.waitForSelector('.lane');
  const box = await lane?.boundingBox();
  if (box == null) throw new Error('no lane');
  // Of two minutes: at half a minute.
  await page.mouse.click(box.x + box.width / 4, box.y + box.height / 2);
  await see(page, '.rehearse', '1 restart, 2 starts');
  const at = (ms: number): Promise<void> => page.$eval('input[type=range]', (element, value) => {
    element.value = String(value);
    element.dispatchEvent(new Event('input', { bubbles: true }));
  }, ms);
  const marked = async (state: string): Promise<void> => {
    await page.waitForFunction((name) => document.querySelector('.chart .present text')?.textContent === name, {}, state);
  };
  await at(29_000);
  await marked('running');
  await at(31_000);
  await marked('backoff');
  await at(40_000);
  await marked('running');
  // By keyboard: the mark is moved, and taken away.
  await page.focus('.fault');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.querySelector('.fault')?.getAttribute('aria-label')?.includes('30.5s'));
  await page.keyboard.press('Delete');
  await see(page, '.rehearse', '0 restarts');
  expect((await home.unit('api')).generation).toBe(1);
  expect(await page.$$('.acts'), 'read-only').toEqual([]);
  expect(complaints).toEqual([]);
});

browserTest('a supervisor that goes and comes back is said so, and the page goes on by itself', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { link } = await serveWeb(home);
  const { page } = await openPage(link);
  await see(page, '.units', 'api');
  await page.waitForSelector('.acts');
  // One that is halted answers nobody: the order is shown all the same.
  process.kill(home.supervisorPid(), 'SIGSTOP');
  for (const key of ['g', 'r'] as const) await page.keyboard.press(key);
  await see(page, 'dialog', 'restart');
  await page.click('dialog .danger');
  await see(page, '.tickets', 'waits for the supervisor to answer');
  process.kill(home.supervisorPid(), 'SIGCONT');
  await see(page, '.tickets', 'restarted');
  await home.sysg('stop');
  await see(page, '[role=alert]', 'no supervisor is running');
  await home.sysg('start', '--daemonize', '-c', home.config);
  await page.waitForFunction(() => document.querySelector('.notice') === null, { timeout: 20_000 });
  await see(page, '.units', 'running');
});

browserTest('a page for which the server has no stream left says so, and its log too; both go on when another one is closed', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { link, url, token } = await serveWeb(home);
  const takers: ClientRequest[] = [];
  for (let taker = 0; taker < 64; taker += 1) {
    await new Promise<void>((taken) => void takers.push(request(`${url}/api/v1/events`, { headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume().on('error', () => undefined);
      taken();
    }).on('error', () => undefined).end()));
  }
  const { page } = await openPage(`${link}#/unit/api`);
  await see(page, '.whole', 'too many pages are open');
  await see(page, '[role=alert]', 'all places are taken');
  await see(page, '[aria-label="Logs"] [role=alert]', 'there are 64 streams already');
  for (const taker of takers) taker.destroy();
  await see(page, '.whole', 'healthy');
  await see(page, '.lines', 'onerror');
  expect(await page.$$('[role=alert]')).toEqual([]);
});

browserTest('--all: the projects in one page, chosen by name; an order reaches the unit of the project that is shown', async () => {
  const home = makeHome(units);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const shop = join(home.dir, 'shop.yaml');
  writeFileSync(shop, 'version: "1"\nproject: shop\nservices:\n  api: {command: "exec $PROGRAMS/forever"}\n  till: {command: "exec $PROGRAMS/forever"}\n');
  expect((await home.sysg('start', '--daemonize', '-c', shop)).code).toBe(0);
  const inShop = async (): Promise<string> => (await home.sysg('-p', 'shop', 'status', 'api', '--json')).stdout;
  onTestFinished(async () => void await home.sysg('-p', 'shop', 'stop'));
  const { link } = await serveWeb(home, '--all');
  const { page, complaints } = await openPage(link);
  await see(page, '.units', 'tick');
  await see(page, '#project', 'shop: healthy');
  expect(decodeURIComponent(new URL(page.url()).hash)).toBe('#/@-/');
  await page.select('#project', 'shop');
  await see(page, '.units', 'till');
  expect(await page.$$eval('.units tbody a', (links) => links.map(({ textContent }) => textContent).toSorted())).toEqual(['api', 'till']);
  await visit(page, '#/@shop/unit/api', 'api');
  await page.waitForSelector('.chart .present');
  expect(await page.title()).toBe('api · shop · sysg');
  const alone = await openPage((await serveWeb(home, '-p', 'shop')).link);
  await see(alone.page, 'header', 'shop');
  expect(await alone.page.title()).toBe('Units · shop · sysg');
  await visit(alone.page, '#/rehearse/api', 'Rehearse');
  await see(alone.page, '.rehearse', 'sysg -p shop simulate');
  await alone.page.close();
  await page.evaluate(() => [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Stop')?.click());
  await see(page, '.tickets', "Service 'api' stopped");
  expect(await inShop()).toContain('"phase": "stopped"');
  expect((await home.unit('api')).phase, 'the one of the same name').toBe('running');
  await page.evaluate(() => [...document.querySelectorAll<HTMLElement>('nav a')].find(({ textContent }) => textContent === 'Projects')?.click());
  await see(page, 'h1', 'Projects');
  await see(page, 'main td', shop);
  expect(await faults(page)).toEqual([]);
  await page.setViewport({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  expect(complaints).toEqual([]);
  // One that ends stays on its page, which says so.
  await page.goBack();
  await home.sysg('-p', 'shop', 'stop');
  await see(page, '[role=alert]', 'no supervisor is running');
  await see(page, '#project', 'shop');
});
