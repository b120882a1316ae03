import { appendFileSync, copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readStateFiles } from '../../src/compat/read-files.ts';
import { readJournal } from '../../src/journal/read.ts';
import { openLedger } from '../../src/state/ledger.ts';
import { recover } from '../../src/state/recovery.ts';
import { tempDir } from '../temp-dir.ts';

const releases = resolve(import.meta.dirname, '../fixtures/releases');

function copyOf(release: string): { readonly directory: string; readonly ledger: string; readonly problems: string[]; readonly onProblem: (text: string) => void } {
  const directory = tempDir();
  for (const name of readdirSync(join(releases, release))) copyFileSync(join(releases, release, name), join(directory, name));
  const problems: string[] = [];
  return { directory, ledger: join(directory, 'ledger.ndjson'), problems, onProblem: (text) => problems.push(text) };
}

/** The files of a supervisor of each release, taken while it ran: a service with a child, one with a check, one in backoff, one-shot, cron unit, one that was stopped. */
describe.each(readdirSync(releases))('the files of release %s', (release) => {
  test('are read without a word', async () => {
    const { directory, ledger: path, problems, onProblem } = copyOf(release);
    const ledger = openLedger(path, { onProblem, bootId: 'another' });
    expect(ledger.unreadable).toBeNull();
    expect([...ledger.entries].map(([name, { record }]) => [name, record.wanted, record.state]).sort()).toEqual([
      ['crash', 'up', 'backoff'], ['db', 'up', 'running'], ['nightly', 'up', 'stopped'], ['once', 'up', 'stopped'], ['stopped', 'down', 'stopped'], ['web', 'up', 'running'],
    ]);
    expect([...ledger.meta.keys()].filter((key) => /^child\/|^runs:/.test(key))).toHaveLength(2);
    const now = () => ({ at: 0, wallMs: Date.now(), bootId: 'another' });
    const verdicts = await recover(ledger.entries.values(), { scan: async () => new Map(), isAlive: () => false, now });
    expect(verdicts.filter(({ record }) => record.process !== null).every(({ verdict }) => verdict === 'dead')).toBe(true);
    expect([...readJournal(directory)].length).toBeGreaterThan(10);
    const { pid, state, cron } = readStateFiles(directory, { onProblem, quarantine: [] });
    expect([pid?.services.size, state === null, cron?.size]).toEqual([2, false, 1]);
    expect(problems).toEqual([]);
    ledger.close();
  });

  test('get the number of their form with the first change, and that alone is added to what they say', () => {
    const { ledger: path, onProblem } = copyOf(release);
    const said = [...openLedger(path, { onProblem, bootId: 'b' }).meta];
    const before = readFileSync(path);
    const ledger = openLedger(path, { onProblem, bootId: 'b' });
    ledger.note('config', '/x');
    ledger.close();
    const added = readFileSync(path).subarray(before.length).toString().trim().split('\n').map((line) => { const { note, value } = JSON.parse(line); return [note, value]; });
    expect(added).toEqual([...(said.some(([key]) => key === 'form') ? [] : [['form', 1]]), ['config', '/x']]);
    const again = openLedger(path, { onProblem, bootId: 'b' });
    expect(new Map(again.meta)).toEqual(new Map([...said, ['form', 1], ['config', '/x']]));
    again.close();
  });

  test.each(['2', '0', '1.5', '"1"', 'null', '{}', '1e999'])('with the form %s are refused', (form) => {
    const { ledger: path, onProblem } = copyOf(release);
    appendFileSync(path, `{"at":1,"wall":1,"boot":"b","note":"form","value":${form}}\n`);
    expect(openLedger(path, { onProblem, bootId: 'b' }).unreadable).toMatch(/was written by a newer sysg \(form .*, this one reads up to form 1\); use that one$/);
  });

  test('in a newer form are refused, and nothing of them is touched', () => {
    const { directory, ledger: path, problems, onProblem } = copyOf(release);
    appendFileSync(path, '{"at":1,"wall":1,"boot":"b","note":"form","value":2}\n{"at":1,"wall":1,"boot":"b","what":"this version does not know"}\nhalf a li');
    const before = readFileSync(path);
    const ledger = openLedger(path, { onProblem, bootId: 'b' });
    expect(ledger.unreadable).toBe(`${path}: was written by a newer sysg (form 2, this one reads up to form 1); use that one`);
    ledger.note('config', '/x');
    ledger.markClean();
    ledger.close();
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(directory).filter((name) => name.includes('corrupt'))).toEqual([]);
    expect(problems).toEqual([]);
  });
});
