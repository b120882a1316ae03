import { describe, expect, test } from 'vitest';
import { foldRollouts, rolloutDetail, rolloutText } from '../../../src/cli/print/rollout.ts';
import { transitions } from '../../../src/cli/print/records.ts';
import { palette } from '../../../src/cli/print/palette.ts';
import { statusTable } from '../../../src/cli/print/status.ts';
import { isMoving, stateText } from '../../../src/cli/print/unit.ts';
import { rolloutMachine } from '../../../machines/rollout.ts';
import type { JournalRecord, UnitStatus } from '../../../src/wire/payloads.ts';

const rollout = { step: 'verifying', instance: 'candidate', phase: 'running', generation: 2, pid: 4712, slots: [0, 1] } as const;
const api: UnitStatus = {
  name: 'api', hash: 'h', kind: 'service', health: 'healthy', lifecycle: 'running', phase: 'running', process: { pid: 4711, state: 'running' }, rollout,
};

describe('a rollout', () => {
  test('shows in the state of its unit which step it is at, of how many', () => {
    expect(stateText(api, 0)).toBe('rollout 4/7 verifying');
    expect(stateText({ ...api, rollout: { step: 'checking', instance: 'candidate', phase: 'running', generation: 2 } }, 0)).toBe('rollout 2/4 checking');
    expect(stateText({ ...api, phase: 'stopping' }, 0)).toBe('stopping');
    expect(isMoving(api)).toBe(true);
    expect(statusTable({ schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'healthy', units: [api] }, { width: 80, color: false }).join('\n'))
      .toMatch(/api +rollout 4\/7 verifying +4711/);
  });

  test('is shown with the instance beside the unit', () => {
    expect(rolloutDetail(rollout)).toBe('verifying, step 4 of 7 (the switch is verified); candidate running, pid 4712, process number 2; slot 1 to slot 2');
    expect(rolloutDetail({ step: 'switching-back', instance: 'candidate', phase: 'failed', generation: 2 })).toBe('failed, switching back; candidate failed, process number 2');
  });

  test('has words for every step of the machine', () => {
    const steps = Object.values(rolloutMachine.states).flatMap(({ meta }) => (meta === undefined ? [] : [(meta as { step: string }).step]));
    for (const step of new Set(steps)) {
      if (step === 'done') continue;
      expect(rolloutText({ ...rollout, step })).toMatch(/^rollout (\d\/7 [a-z]+|failed, .+)$/);
      expect(rolloutDetail({ ...rollout, step })).not.toContain('undefined');
    }
  });
});

describe('the records of rollouts', () => {
  const step = (second: number, detail: Record<string, unknown>, unit = 'api'): JournalRecord =>
    ({ seq: second, at: `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`, unit, event: 'rollout', detail });
  const moved: JournalRecord = { seq: 14, at: '2026-01-01T00:00:14.000Z', unit: 'api', event: 'move', from: 'running', to: 'running' };
  const first = [step(10, { step: 'starting' }), step(12, { step: 'grace' }), moved, step(15, { step: 'retiring' }), step(16, { step: 'done', result: 'replaced' })];

  test('are one for each rollout, with its steps, how long each took, and its outcome', () => {
    const records = foldRollouts([...first, step(20, { step: 'starting' }), step(21, { step: 'ending', reason: 'exit 1' })]);
    expect(records.map(({ event, detail }) => [event, detail?.['steps']])).toEqual([
      ['move', undefined], ['rollout', 'starting 2s, grace 3s, retiring 1s'], ['rollout', 'starting 1s, ending'],
    ]);
    const shown = transitions(records, Date.parse('2026-01-01T00:01:00Z'), null, palette(false)).join('\n');
    expect(shown).toMatch(/rollout ending +- +starting 1s, ending, exit 1\n/);
    expect(shown).toMatch(/rollout replaced +- +starting 2s, grace 3s, retiring 1s\n/);
  });

  test('of several units are kept apart, and one whose beginning is not there is shown from where it is', () => {
    expect(foldRollouts([step(1, { step: 'grace' }), step(2, { step: 'starting' }, 'db'), step(3, { step: 'retiring' }), step(4, { step: 'done' }, 'db')])
      .map(({ unit, detail }) => [unit, detail?.['steps']])).toEqual([['api', 'grace 2s, retiring'], ['db', 'starting 2s']]);
  });
});
