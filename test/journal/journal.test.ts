import { appendFileSync, mkdirSync, readFileSync, rmSync, rmdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openJournal, type Journal, type JournalDraft, type JournalOptions } from '../../src/journal/journal.ts';
import { readJournal, surveyJournal } from '../../src/journal/read.ts';
import { tempDir } from '../temp-dir.ts';

function open(stateDir: string, options: Partial<JournalOptions> = {}): { journal: Journal; problems: string[] } {
  const problems: string[] = [];
  const journal = openJournal({ stateDir, onProblem: (text) => void problems.push(text), ...options });
  onTestFinished(() => journal.close());
  return { journal, problems };
}

const draft = (unit: string | null, event = 'start'): JournalDraft => ({ at: '2026-01-01T00:00:00.000Z', unit, event, to: 'waiting' });

test('numbers go on where the last supervisor ended, and its records are there', () => {
  const stateDir = tempDir();
  const first = open(stateDir).journal;
  first.append(draft('a'));
  first.append(draft('b'));
  first.close();
  const { journal } = open(stateDir);
  expect(journal.append(draft('a', 'stop')).seq).toBe(3);
  expect(journal.query({ unit: 'a', limit: 10, since: null }).map(({ seq, event }) => [seq, event])).toEqual([[1, 'start'], [3, 'stop']]);
  expect(journal.lastOf('a')).toBe(3);
  // A request is no change of the unit.
  const { to: _, ...request } = draft('a', 'request');
  expect(journal.append(request).seq).toBe(4);
  expect(journal.lastOf('a')).toBe(3);
  expect(open(stateDir).journal.lastOf('a')).toBe(3);
  expect(surveyJournal(stateDir).newest.get('a')?.seq).toBe(3);
});

test('a file that cannot be read is named once, and the journal is kept', () => {
  const stateDir = tempDir();
  const path = join(stateDir, 'journal.1.ndjson');
  symlinkSync('journal.1.ndjson', path);
  const { journal, problems } = open(stateDir);
  expect(problems).toEqual([expect.stringMatching(/^earlier events are not known: [^ ]*journal\.1\.ndjson: cannot be read: ELOOP/)]);
  expect(journal.append(draft('a')).seq).toBe(1);
});

test('of a unit that was removed nothing is remembered', () => {
  const stateDir = tempDir();
  const { journal } = open(stateDir);
  journal.append(draft('a'));
  const { to: _, ...removed } = draft('a', 'removed');
  journal.append(removed);
  expect([journal.lastOf('a'), open(stateDir).journal.lastOf('a')]).toEqual([null, null]);
});

test('a file that somebody removes when it is to become the older one is begun anew', () => {
  const stateDir = tempDir();
  const { journal, problems } = open(stateDir, { fileBytes: 50 });
  journal.append(draft('a'));
  rmSync(join(stateDir, 'journal.ndjson'));
  journal.append(draft('b'));
  expect([problems, journal.unwritten, [...readJournal(stateDir)].map(({ unit }) => unit)]).toEqual([[], null, ['b']]);
});

test('a query gives the newest of one unit after a number, oldest first', () => {
  const { journal } = open(tempDir());
  for (let count = 0; count < 10; count += 1) journal.append(draft(count % 2 === 0 ? 'even' : 'odd'));
  expect(journal.query({ unit: 'even', limit: 2, since: null }).map(({ seq }) => seq)).toEqual([7, 9]);
  expect(journal.query({ unit: null, limit: 100, since: 8 }).map(({ seq }) => seq)).toEqual([9, 10]);
  expect(journal.query({ unit: null, limit: 0, since: null })).toEqual([]);
});

test('torn, foreign and turned-back lines are left out', () => {
  const stateDir = tempDir();
  const first = open(stateDir).journal;
  first.append(draft('a'));
  first.append(draft('a', 'stop'));
  first.close();
  const file = join(stateDir, 'journal.ndjson');
  appendFileSync(file, `${JSON.stringify({ seq: 1, ...draft('old') })}\nnonsense\n{"seq":"x"}\n{"seq":3,"at":"2026`);
  expect([...readJournal(stateDir)].map(({ seq, unit }) => [seq, unit])).toEqual([[1, 'a'], [2, 'a']]);
  expect(open(stateDir).journal.append(draft('b')).seq).toBe(3);
  expect([...readJournal(stateDir)].map(({ seq, unit }) => [seq, unit])).toEqual([[1, 'a'], [2, 'a'], [3, 'b']]);
});

test('a file that has grown becomes the older one; both are read', () => {
  const stateDir = tempDir();
  const { journal } = open(stateDir, { fileBytes: 200 });
  for (let count = 0; count < 5; count += 1) journal.append(draft(`unit-${count}`));
  expect(readFileSync(join(stateDir, 'journal.1.ndjson'), 'utf8')).not.toBe('');
  expect([...readJournal(stateDir)].at(-1)?.seq).toBe(5);
});

test('memory is bounded and says from where on it is complete', () => {
  const { journal } = open(tempDir(), { kept: 10 });
  for (let count = 0; count < 2000; count += 1) journal.append(draft('a'));
  expect(journal.oldest).toBeGreaterThan(1);
  expect(journal.query({ unit: null, limit: 5000, since: null })[0]?.seq).toBe(journal.oldest);
});

test('a journal that cannot be written is reported once and goes on in memory', () => {
  const stateDir = tempDir();
  writeFileSync(join(stateDir, 'file'), '');
  const { journal, problems } = open(join(stateDir, 'no-such-directory'));
  journal.append(draft('a'));
  journal.append(draft('a'));
  expect(problems).toHaveLength(1);
  expect(journal.last).toBe(2);
});

test('subscribers get every record until they leave', () => {
  const { journal } = open(tempDir());
  const seen: number[] = [];
  const leave = journal.subscribe(({ seq }) => void seen.push(seq));
  journal.append(draft('a'));
  leave();
  journal.append(draft('a'));
  expect(seen).toEqual([1]);
});

test('a journal that somebody removed is written again with what memory has', () => {
  const stateDir = tempDir();
  const { journal } = open(stateDir);
  journal.append(draft('a'));
  journal.append(draft('b'));
  expect(journal.mend()).toBe(false);
  rmSync(join(stateDir, 'journal.ndjson'));
  expect([journal.mend(), journal.mend()]).toEqual([true, false]);
  journal.append(draft('c'));
  expect([...readJournal(stateDir)].map(({ seq, unit }) => [seq, unit])).toEqual([[1, 'a'], [2, 'b'], [3, 'c']]);
});

test.each(['with the next event', 'without one'])('what the disk did not take is written as soon as it does, without a gap and %s', (when) => {
  const stateDir = tempDir();
  const { journal, problems } = open(stateDir);
  journal.append(draft('a'));
  journal.close();
  const file = join(stateDir, 'journal.ndjson');
  rmSync(file);
  mkdirSync(file);
  for (const unit of ['b', 'c']) journal.append(draft(unit));
  expect(journal.mend()).toBe(false);
  expect([problems, journal.unwritten]).toEqual([[expect.stringContaining(`${file}: cannot be written: `)], expect.stringContaining(file)]);
  rmdirSync(file);
  if (when === 'without one') expect(journal.mend()).toBe(false);
  else journal.append(draft('d'));
  expect(journal.unwritten).toBeNull();
  expect([...readJournal(stateDir)].map(({ seq, unit }) => [seq, unit])).toEqual([[2, 'b'], [3, 'c'], ...(when === 'without one' ? [] : [[4, 'd']])]);
  expect(surveyJournal(stateDir).problems).toEqual([]);
});

test.each([0, 1, 70])('a journal that somebody has cut to %i bytes has what memory has, once', (bytes) => {
  const stateDir = tempDir();
  const { journal } = open(stateDir);
  for (const unit of ['a', 'b', 'c']) journal.append(draft(unit));
  truncateSync(join(stateDir, 'journal.ndjson'), bytes);
  expect([journal.mend(), journal.mend()]).toEqual([true, false]);
  journal.append(draft('d'));
  expect([...readJournal(stateDir)].map(({ unit }) => unit)).toEqual(['a', 'b', 'c', 'd']);
  expect(surveyJournal(stateDir)).toMatchObject({ problems: [], torn: 0 });
});
