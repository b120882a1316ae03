import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeResponse, decodeWatchLine, encodeResponse, encodeWatchLine, type Response, type WatchLine } from '../../src/wire/responses.ts';

const record = { seq: 4, at: '2026-01-01T00:00:00Z', unit: 'web', event: 'process.exited', cause: { kind: 'exit', seq: 3 } };
const snapshot = { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'healthy' as const, units: [] };

test.each<Response>([
  { kind: 'ok' },
  { kind: 'message', text: 'a "quoted"\n\u0000 café 😀 /' },
  { kind: 'error', text: '' },
  { kind: 'message', text: 'done', units: [{ unit: 'web', result: 'skipped', note: 'its condition is false' }] },
  { kind: 'error', text: '', units: [{ unit: 'web', result: 'failed', error: 'exit 3' }] },
  { kind: 'spawned', pid: 7 },
  { kind: 'status', snapshot },
  { kind: 'history', records: [record] },
  { kind: 'plan', plan: { unchanged: [], start: [{ unit: 'web', why: 'new' }], stop: [], restart: [], update: [] } },
])('%o reads back as itself', (response) => {
  expect(decodeResponse(encodeResponse(response))).toEqual({ ok: true, response });
});

test.each<WatchLine>([
  { kind: 'snapshot', seq: 4, status: snapshot },
  { kind: 'event', record },
  { kind: 'gap', from: 5, to: 9 },
])('the watch line %o reads back as itself', (line) => {
  expect(decodeWatchLine(encodeWatchLine(line))).toEqual({ ok: true, line });
});

test('a refused watch reads as the refusal', () => {
  expect(decodeWatchLine('{"Error":"Service \'x\' not found in configuration"}')).toEqual({ ok: false, error: "Service 'x' not found in configuration" });
});

test.each([
  ['hello', /^not JSON: /],
  ['{"Error":"a","Message":"b"}', /^expected a variant name or an object with one key/],
  ['{"Bogus":{}}', /^unknown variant `Bogus`, expected one of Ok, Message, /],
  ['{"Message":5}', /^Message: expected a string, found 5$/],
  ['"Status"', /^Status: expected an object, found null$/],
  ['{"Spawned":{}}', /^Spawned: missing field `pid`$/],
  [
    '{"Status":{"schema_version":"status.v1","captured_at":"","overall_health":"healthy","units":[{"name":"a","hash":"b","kind":"pod","health":"healthy"}]}}',
    /^Status\.units\[0\]\.kind: expected one of service, cron, orphaned, found "pod"$/,
  ],
])('%s is no answer, and the error says where', (line, error) => {
  const decoded = decodeResponse(line);
  expect(decoded.ok ? '' : decoded.error).toMatch(error);
});

test('a missing sample list is empty and a bare failure has a reason, as 0.33.0 reads them', () => {
  const run = { started_at: '2026-01-01T00:00:00Z', status: 'Failed' };
  const unit = { name: 'a', hash: 'b', kind: 'cron', health: 'healthy', cron: { timezone_label: 'UTC', last_run: run, recent_runs: [run] } };
  const decoded = decodeResponse(JSON.stringify({ Inspect: { unit } }));
  expect(decoded).toMatchObject({
    ok: true,
    response: { payload: { samples: [], unit: { cron: { last_run: { status: { Failed: 'failed' } }, recent_runs: [{ status: { Failed: 'failed' } }] } } } },
  });
});

test('a fraction is written as the shortest text of its 32-bit float', () => {
  const written = (value: number): string => {
    const sample = {
      timestamp: '2026-01-01T00:00:00Z', cpu_percent: value, rss_bytes: 1, io_read_bytes: 0, io_write_bytes: 0, net_rx_bytes: 0, net_tx_bytes: 0,
    };
    const line = encodeResponse({ kind: 'inspect', payload: { unit: null, samples: [sample] } });
    expect(line).toContain('"rss_bytes":1,');
    return /"cpu_percent":([^,]*),/.exec(line)?.[1] ?? line;
  };
  expect([0, 100, 20.1, 1 / 3, Math.fround(0.1), 16777216, 12.345678901, Math.fround(1000.00006)].map(written))
    .toEqual(['0.0', '100.0', '20.1', '0.33333334', '0.1', '16777216.0', '12.345679', '1000.00006']);
  fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
    expect(Math.fround(Number(written(value)))).toBe(value + 0);
  }));
});

test('text that looks like a fraction\'s key is left alone', () => {
  const text = '"cpu_percent":5, {"cpu_percent":5}';
  expect(decodeResponse(encodeResponse({ kind: 'message', text }))).toEqual({ ok: true, response: { kind: 'message', text } });
});
