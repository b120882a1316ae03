import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { surveyJournal } from '../../src/journal/read.ts';
import { tempDir } from '../temp-dir.ts';

const line = (seq: number, unit: string | null = 'web'): string => JSON.stringify({ seq, at: '2026-01-01T00:00:00Z', unit, generation: 1, event: 'start', from: 'a', to: 'b' });

function read(current: string, older = ''): ReturnType<typeof surveyJournal> {
  const directory = tempDir();
  if (older !== '') writeFileSync(join(directory, 'journal.1.ndjson'), older);
  writeFileSync(join(directory, 'journal.ndjson'), current);
  return surveyJournal(directory);
}

test('both files are read as one, and the newest record of each unit is known', () => {
  const { count, last, newest, problems } = read(`${line(3, 'api')}\n${line(4)}\n`, `${line(1)}\n${line(2)}\n`);
  expect([count, last, problems]).toEqual([4, 4, []]);
  expect([...newest].map(([unit, { seq }]) => [unit, seq])).toEqual([['web', 4], ['api', 3]]);
});

test('a line that a killed supervisor left torn is counted and no problem', () => {
  expect(read(`${line(1)}\n${line(2).slice(0, 30)}\n${line(2)}\n{"se`)).toMatchObject({ count: 2, torn: 2, problems: [] });
});

test('a foreign line and a gap are named with their places', () => {
  const { problems } = read(`${line(1)}\nrubbish\n${line(5)}\n`);
  expect(problems).toEqual([expect.stringMatching(/journal\.ndjson:2: not a record: "rubbish"/), expect.stringMatching(/journal\.ndjson:3: number 5 follows number 1/)]);
});

test('without a journal there is nothing', () => {
  expect(surveyJournal(tempDir())).toMatchObject({ count: 0, last: 0, problems: [] });
});
