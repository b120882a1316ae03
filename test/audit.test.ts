import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { collect } from './e2e/rig.ts';

const weakness = { id: 1, url: 'https://example.org/1', title: 'a weakness', severity: 'high', vulnerable_versions: '<999', cwe: [], cvss: { score: 8, vectorString: null } };

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
}

/** A registry of our own, and what it was asked about. */
async function audited(answer: { readonly status: number; readonly body: unknown }): Promise<{ code: number | null; stdout: string; asked: readonly string[] }> {
  const asked: string[] = [];
  const registry = createServer(async (request, response) => {
    const body = await bodyOf(request);
    if (request.method === 'POST' && body !== '') asked.push(...Object.keys(JSON.parse(body) as object));
    const { status, body: text } = request.method === 'POST' ? answer : { status: 200, body: { name: 'yaml', versions: { '2.9.1': { name: 'yaml', version: '2.9.1' } } } };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(text));
  });
  await new Promise<void>((listening) => void registry.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void registry.close());
  const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
  const { code, stdout } = await collect(spawn(process.execPath, [resolve(import.meta.dirname, '../.ci/audit.mjs')], {
    env: { ...env, npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`, npm_config_audit_level: '' }, stdio: ['ignore', 'pipe', 'pipe'],
  }));
  return { code, stdout, asked };
}

test('what is given on is the list, and is asked about as a whole; without an answer nothing passes', { timeout: 300_000 }, async () => {
  const [clean, weak, silent] = await Promise.all([audited({ status: 200, body: {} }), audited({ status: 200, body: { yaml: [weakness] } }), audited({ status: 405, body: {} })]);
  expect(clean).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+ packages are given on, [^]*\npassed: 0 known weaknesses, none of them high or critical\n$/) });
  expect(clean.asked).toEqual(expect.arrayContaining(['yaml', 'yargs', 'xstate', 'hono', 'preact', 'koffi']));
  expect(clean.asked).not.toContain('vitest');
  expect(weak).toMatchObject({ code: 1, stdout: expect.stringMatching(/\nyaml [^]*: high\nfailed: 1 high and 0 critical known weaknesses\n$/) });
  expect(silent).toMatchObject({ code: 2, stdout: expect.stringMatching(/\nnot asked: the registry does not say whether they have known weaknesses \(405 Method Not Allowed.*\)\n$/) });
  expect(silent.stdout).not.toContain('passed');
});
