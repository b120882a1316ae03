import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { sysg } from './rig.ts';

/** A supervisor that answers Status with two units, and everything else with `answer`. */
async function supervised(answer: object): Promise<{ readonly home: string; readonly requests: readonly string[] }> {
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const unit = (name: string): object => ({ name, hash: `${name}-hash`, kind: 'service', lifecycle: 'stopped', health: 'failing', phase: 'failed' });
  const snapshot = { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'failing', units: [unit('a'), unit('b'), unit('c')] };
  const requests: string[] = [];
  const server = createServer((socket) => socket.once('data', (data) => {
    const request = data.toString('utf8').trim();
    requests.push(request);
    socket.end(`${JSON.stringify(request === '"Status"' ? { Status: snapshot } : answer)}\n`);
  }).on('error', () => undefined));
  await new Promise<void>((listening) => server.listen(join(state, 'control.sock'), listening));
  onTestFinished(() => new Promise((closed) => void server.close(() => closed())));
  return { home, requests };
}

const message = "Failed to start service 'a': exit; code 3; Failed to start service 'b': Failed to start service 'a': no";
const units = [{ unit: 'a', result: 'failed', error: 'exit; code 3' }, { unit: 'b', result: 'failed', error: "Failed to start service 'a': no" }, { unit: 'c', result: 'ok' }];

test('why each unit failed comes as data beside the sentence, which is not taken apart', async () => {
  const { home, requests } = await supervised({ Settled: { error: message, units } });
  const { exitCode, stdout, stderr } = await sysg(['restart', '--json'], { env: { HOME: home } });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: `sysg: ${message}\n` });
  expect(JSON.parse(stdout)).toEqual({
    ok: false, message,
    units: [{ name: 'a', phase: 'failed', error: 'exit; code 3' }, { name: 'b', phase: 'failed', error: "Failed to start service 'a': no" }, { name: 'c', phase: 'failed' }],
  });
  expect(requests[0]).toContain('"settlements":true');
});

test('without --json nothing but the sentence is asked for', async () => {
  const { home, requests } = await supervised({ Error: message });
  expect(await sysg(['restart'], { env: { HOME: home } })).toEqual({ exitCode: 1, stdout: '', stderr: `sysg: ${message}\n` });
  expect(requests).toEqual(['{"Restart":{"config":null,"service":null}}']);
});
