import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AdoptOrder, ChildRecord, SwitchRecord } from '../../machines/types.ts';
import { keepChildren, keepSwitches, noteConfig, notedConfig, noteTokenSeed, openSwitches, recoverChildren, tokenSeeds } from '../../src/state/notes.ts';
import { openLedger, type Ledger } from '../../src/state/ledger.ts';
import type { ScannedRow } from '../../src/state/recovery.ts';
import { record as unitRecord } from './record.ts';
import { tempDir } from '../temp-dir.ts';

const child = (id: string, changes: Partial<ChildRecord> = {}): ChildRecord => ({
  id, depth: 1, token: id, startedAt: 5, identity: { pid: 70, startTime: '700', bootId: 'boot' },
  order: { unit: 'orch', generation: 2, token: 'T', parent: null, parentPid: 7, name: 'job', argv: ['a', 'b'], ttlMs: 9000, logLevel: null }, ...changes,
});
const row = (pid: number, tokens: readonly string[] | null, startTime = `${pid}0`): ScannedRow => ({ pid, pgrp: pid, state: 'S', startTime, tokens });
const service: AdoptOrder = {
  verdict: 'alive', record: { ...unitRecord('orch'), generation: 2, process: { generation: 2, role: 'main', token: 'T', identity: null, adopted: true } },
};

async function recovered(notes: readonly [string, unknown][], rows: readonly ScannedRow[], units: readonly AdoptOrder[] = [service], second: readonly ScannedRow[] = rows) {
  const problems: string[] = [];
  let looks = 0;
  const found = await recoverChildren(new Map(notes), units, {
    scan: () => Promise.resolve(new Map(((looks += 1) === 1 ? rows : second).map((one) => [one.pid, one]))), isAlive: ({ pid, startTime, bootId }) => bootId === 'boot' && rows.some((one) => one.pid === pid && one.startTime === startTime),
    now: () => ({ at: 0, wallMs: 0, bootId: 'boot' }), secondLookMs: 1, onProblem: (text) => void problems.push(text),
  });
  return { adopt: found.adopt.map(({ id }) => id), stray: found.stray.map(({ id }) => id), gone: found.gone, problems, records: found.adopt };
}

describe('children of the ledger', () => {
  test('survive a write and a read, and what was forgotten is not even in the compacted file', () => {
    const path = join(tempDir(), 'ledger.ndjson');
    const options = { onProblem: (text: string) => { throw new Error(text); }, bootId: 'boot' };
    const first = openLedger(path, options);
    keepChildren(first).recordChild(child('c1'));
    for (let round = 0; round < 4000; round += 1) {
      keepChildren(first).recordChild(child(`x${round}`));
      keepChildren(first).forgetChild(`x${round}`);
    }
    first.close();
    expect(readFileSync(path).length).toBeLessThan(500_000);
    const second = openLedger(path, options);
    expect([...second.meta]).toEqual([['form', 1], ['child/c1', child('c1')]]);
    second.close();
  });

  test('that live with the process of their service they belong to are taken over', async () => {
    expect(await recovered([['child/c1', child('c1')], ['digest pid.xml', []]], [row(70, ['T', 'c1'])])).toMatchObject({ adopt: ['c1'], stray: [], gone: [], problems: [] });
    expect(await recovered([['child/c1', child('c1')]], [row(70, null)])).toMatchObject({ adopt: ['c1'] });
  });

  test('whose leader is dead live on in what it left', async () => {
    expect(await recovered([['child/c1', child('c1')]], [row(71, ['T', 'c1'])])).toMatchObject({ adopt: ['c1'] });
  });

  test('are gone when nothing carries their token: not for another process with their pid, another boot or other tokens', async () => {
    expect(await recovered([['child/c1', child('c1')]], [row(70, [], '999')])).toMatchObject({ adopt: [], gone: ['c1'] });
    expect(await recovered([['child/c1', child('c1')]], [row(70, ['T', 'c9'])])).toMatchObject({ gone: ['c1'] });
    expect(await recovered([['child/c1', child('c1', { identity: { pid: 70, startTime: '700', bootId: 'before' } })]], [row(70, [])])).toMatchObject({ gone: ['c1'] });
  });

  test('that were taken over from the files carry the token of what started them, if any, and live', async () => {
    const taken = child('taken-0123456789ab', { identity: { pid: 70, startTime: '700', bootId: 'boot' } });
    expect(await recovered([[`child/${taken.id}`, taken]], [row(70, ['another.1.1'])])).toMatchObject({ adopt: [taken.id], gone: [] });
    expect(await recovered([[`child/${taken.id}`, taken]], [row(70, ['another.1.1'], '999')])).toMatchObject({ adopt: [], gone: [taken.id] });
  });

  test('whose start was ordered but not noted are found by their token, at the second look too', async () => {
    const unborn = child('c1', { identity: null });
    const found = await recovered([['child/c1', unborn]], [], [service], [row(80, ['T', 'c1'])]);
    expect(found.records[0]?.identity).toEqual({ pid: 80, startTime: '800', bootId: 'boot' });
    expect(await recovered([['child/c1', unborn]], [])).toMatchObject({ adopt: [], gone: ['c1'] });
  });

  test.each([
    ['is dead', [{ ...service, verdict: 'dead' as const }]], ['is not known', []],
    ['is another process', [{ ...service, record: { ...service.record, process: { generation: 2, role: 'main' as const, token: 'U', identity: null, adopted: true } } }]],
    ['is at a later generation', [{ ...service, record: { ...service.record, generation: 3, process: { generation: 3, role: 'main' as const, token: 'T3', identity: null, adopted: true } } }]],
  ])('whose service %s are strays', async (_, units) => {
    expect(await recovered([['child/c1', child('c1')]], [row(70, ['T', 'c1'])], units)).toMatchObject({ adopt: [], stray: ['c1'] });
  });

  test('that cannot be read are reported and dropped', async () => {
    const found = await recovered([['child/c1', { id: 'c1', order: 5 }], ['child/c2', child('c2')]], [row(70, ['T', 'c2'])]);
    expect(found).toMatchObject({ adopt: ['c2'], gone: ['c1'] });
    expect(await recovered([['child/c1', 5]], [])).toMatchObject({ adopt: [], gone: ['c1'] });
    expect(found.problems[0]).toMatch(/a spawned child cannot be read: child\/c1\.order: expected an object, found 5/);
  });
});

describe('other notes of the ledger', () => {
  const ledgerOf = (directory = tempDir()): Ledger => openLedger(join(directory, 'ledger.ndjson'), { onProblem: (text) => { throw new Error(text); }, bootId: 'boot' });

  test('of the seeds of tokens the newest 64 are kept, and what is no text is none', () => {
    const ledger = ledgerOf();
    const seeds = Array.from({ length: 65 }, () => noteTokenSeed(ledger));
    expect(new Set(seeds).size).toBe(65);
    expect(tokenSeeds(ledger.meta)).toEqual(seeds.slice(1));
    expect([tokenSeeds(new Map([['token seeds', [7, 'a', null]]])), tokenSeeds(new Map([['token seeds', 'a']])), tokenSeeds(new Map())]).toEqual([['a'], [], []]);
    ledger.close();
  });

  test('the configuration is the one that was noted last, if it is a text', () => {
    const ledger = ledgerOf();
    expect(notedConfig(ledger.meta)).toBeNull();
    noteConfig(ledger, '/x.yaml');
    expect([notedConfig(ledger.meta), notedConfig(new Map([['config', 7]]))]).toEqual(['/x.yaml', null]);
    ledger.close();
  });

  test('a switch is open until it is forgotten, or its candidate is the unit; one that cannot be read is reported', () => {
    const ledger = ledgerOf();
    const open: SwitchRecord = { unit: 'web', generation: 3, slots: { from: 0, to: 1 } };
    const problems: string[] = [];
    const found = (generation: number | null, meta = ledger.meta): readonly SwitchRecord[] => {
      const entries = new Map(generation === null ? [] : [['web', { record: { ...unitRecord('web'), generation }, written: { at: 0, wallMs: 0, bootId: 'boot' } }]]);
      return openSwitches({ meta, entries }, (text) => problems.push(text));
    };
    keepSwitches(ledger).recordSwitch(open);
    expect([null, 2, 3].map((generation) => found(generation))).toEqual([[open], [open], []]);
    keepSwitches(ledger).forgetSwitch('web');
    expect([found(null), problems]).toEqual([[], []]);
    expect([found(null, new Map([['switch/web', { unit: 'web' }]])), problems]).toEqual([[], [expect.stringContaining('an open switch cannot be read: switch/web: missing field')]]);
    ledger.close();
  });
});
