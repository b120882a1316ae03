import { expect, test } from 'vitest';
import { eventLines, transitions } from '../../../src/cli/print/records.ts';
import { palette } from '../../../src/cli/print/palette.ts';
import displayWidth from '../../../src/width.ts';
import type { JournalRecord } from '../../../src/wire/payloads.ts';

const records: readonly JournalRecord[] = [
  { seq: 1, at: '2026-01-01T12:00:00.000Z', unit: 'w', event: 'request', cause: { kind: 'command', by: 'signal' }, detail: { signal: 'SIGUSR1', to_pid: 9, uid: 1000, pid: 42 } },
  { seq: 2, at: '2026-01-01T12:00:00.010Z', unit: 'w', generation: 1, event: 'process.exited', from: 'running', to: 'clearing', cause: { kind: 'command', seq: 1, by: 'signal' }, detail: { pid: 9, signal: 'SIGUSR1' } },
  { seq: 3, at: '2026-01-01T12:00:01.000Z', unit: null, event: 'request', cause: { kind: 'signal', by: 'SIGHUP' }, detail: { command: 'reload' } },
];

test('a request is shown with who asked, and its pid is not taken for one of the unit', () => {
  const [, change = '', request = ''] = transitions(records.slice(0, 2), Date.parse('2026-01-01T12:00:05Z'), null, palette(false)).map((line) => line.trim());
  expect(change).toMatch(/ running → clearing +command signal +SIGUSR1, pid 9$/);
  expect(request).toMatch(/ - +request +command signal +SIGUSR1 by uid 1000 pid 42$/);
});

test('events show requests, those of the supervisor too', () => {
  const [first = '', , last = ''] = records.flatMap((record) => eventLines(record, 10, null));
  expect(first).toMatch(/ w {9} +request +command signal +signal=SIGUSR1 {2}to_pid=9 {2}uid=1000 {2}pid=42$/);
  expect(last).toMatch(/ supervisor +request +signal SIGHUP +command=reload$/);
});

test('events stand in columns also behind wide names', () => {
  const [, exited] = records as [JournalRecord, JournalRecord];
  const shown = ['日本', 'web', 'e\u0301'].flatMap((unit) => eventLines({ ...exited, unit, cause: { kind: 'dependency', by: unit } }, 10, null));
  expect(new Set(shown.map((line) => displayWidth(line.slice(0, line.indexOf('dependency'))))).size).toBe(1);
  expect(new Set(shown.map((line) => displayWidth(line.slice(0, line.indexOf('signal='))))).size).toBe(1);
});

test('on a narrow terminal the details of an event stand below it, and no line is wider', () => {
  const [whole = ''] = eventLines(records[0] as JournalRecord, 10, null);
  expect(eventLines(records[0] as JournalRecord, 10, whole.length)).toEqual([whole]);
  const narrow = eventLines(records[0] as JournalRecord, 10, 80);
  expect(narrow).toEqual([expect.stringMatching(/ w {11}request {17}command signal$/), '    signal=SIGUSR1  to_pid=9  uid=1000  pid=42']);
  const long: JournalRecord = { ...(records[1] as JournalRecord), detail: { reason: 'not ready within 3 s: the check got no answer from http://127.0.0.1:7999/: connection refused' } };
  const lines = eventLines(long, 10, 80);
  expect([lines.length, lines.every((line) => line.length <= 80), lines.slice(1).every((line) => line.startsWith('    '))]).toEqual([3, true, true]);
});
