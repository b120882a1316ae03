import { existsSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import type { Browser, Page } from 'puppeteer-core';

export { serveWeb, type Served } from './web-server.ts';

/** Debian's, or the one that is named. */
export const chromium = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path !== undefined && existsSync(path)) ?? null;

/** A page in a browser of its own; what its console complains about is kept. */
export async function openPage(link: string, { width = 1280, height = 900 } = {}): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const { launch } = await import('puppeteer-core');
  const browser: Browser = await launch({ executablePath: chromium ?? '', args: ['--no-sandbox', '--disable-gpu'], headless: true });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warn', 'issue'].includes(message.type())) complaints.push(`${message.text()} (${message.location().url ?? ''})`);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(link).origin) && !request.url().startsWith('data:')) complaints.push(`a request to ${request.url()}`);
  });
  await page.goto(link, { waitUntil: 'domcontentloaded' });
  return { page, complaints };
}

/** Goes to a view by its fragment and waits for its heading. */
export async function visit(page: Page, fragment: string, heading: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, fragment);
  await see(page, 'h1', heading);
}

/** Clicks the button with that text as soon as there is one that can be clicked. */
export async function press(page: Page, text: string): Promise<void> {
  await page.waitForFunction((what) => {
    const button = [...document.querySelectorAll('button')].find(({ textContent, disabled }) => textContent === what && !disabled);
    button?.click();
    return button !== undefined;
  }, { timeout: 20_000 }, text);
}

/** Waits until an element of that kind has the text. */
export async function see(page: Page, selector: string, text: string): Promise<void> {
  await page.waitForFunction((where, what) => [...document.querySelectorAll(where)].some((element) => (element.textContent ?? '').includes(what)), { timeout: 20_000 }, selector, text);
}
