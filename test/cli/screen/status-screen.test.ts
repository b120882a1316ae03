import { describe, expect, test } from 'vitest';
import type { UnitStatus } from '../../../src/wire/payloads.ts';
import displayWidth from '../../../src/cli/print/width.ts';
import { openPager } from '../../../src/cli/screen/pager.ts';
import { firstModel, press, selectionOf, type Action, type StatusModel } from '../../../src/cli/screen/status-model.ts';
import { statusView } from '../../../src/cli/screen/status-view.ts';

const names = ['api', 'db', 'web', 'worker'];

/** What keys lead to. */
function after(keys: readonly string[], from: StatusModel = firstModel, shown: readonly string[] = names): { model: StatusModel; actions: Action[] } {
  const actions: Action[] = [];
  let model = from;
  for (const key of keys) {
    const step = press(model, key, shown, 3);
    model = step.model;
    if (step.action !== null) actions.push(step.action);
  }
  return { model, actions };
}
const selected = (...keys: string[]): string | null => selectionOf(after(keys).model, names);

describe('the keys of the table', () => {
  test('move by arrows, Tab and as in vi, and stop at the ends', () => {
    expect(selected()).toBe('api');
    expect([selected('down'), selected('j', 'j'), selected('tab', 'tab', 'tab', 'tab', 'tab'), selected('G', 'k'), selected('end', 'g'), selected('up')])
      .toEqual(['db', 'web', 'worker', 'web', 'api', 'api']);
    expect(selected('page-down')).toBe('web');
  });

  test('stopping and restarting is done only after a yes', () => {
    expect(after(['j', 's']).actions).toEqual([]);
    expect(after(['j', 's', 'n', 'y']).actions).toEqual([]);
    expect(after(['j', 's', 'enter']).actions).toEqual([]);
    expect(after(['j', 's', 'y']).actions).toEqual([{ kind: 'stop', unit: 'db' }]);
    expect(after(['G', 'r', 'y']).actions).toEqual([{ kind: 'restart', unit: 'worker' }]);
  });

  test('a question stays about the unit it was asked about', () => {
    const { model } = after(['j', 's']);
    expect(after(['y'], model, ['new', ...names]).actions).toEqual([{ kind: 'stop', unit: 'db' }]);
  });

  test('inspect, logs and start act at once', () => {
    expect(after(['j', 'enter', 'l', 'S']).actions.map(({ kind }) => kind)).toEqual(['inspect', 'logs', 'start']);
    expect(after(['enter', 's', 'y'], firstModel, []).actions).toEqual([]);
  });

  test('search goes to the next match, n and N go on, around the end', () => {
    expect(selected('/', 'w', 'enter')).toBe('web');
    expect(selected('/', 'w', 'enter', 'n')).toBe('worker');
    expect(selected('/', 'w', 'enter', 'n', 'n')).toBe('web');
    expect(selected('/', 'w', 'enter', 'N')).toBe('worker');
    expect(selected('/', 'z', 'enter')).toBe('api');
    expect(after(['/', 'q', 's', 'escape']).actions).toEqual([]);
  });

  test('a filter is typed, taken back with Escape, and only then Escape leaves', () => {
    const { model } = after(['f', 'w', 'x', 'backspace', 'enter']);
    expect(model).toMatchObject({ mode: 'table', filter: 'w' });
    expect(after(['escape'], model)).toMatchObject({ model: { filter: '' }, actions: [] });
    expect(after(['escape', 'escape'], model).actions).toEqual([{ kind: 'quit' }]);
    expect(after(['q']).actions).toEqual([{ kind: 'quit' }]);
  });

  test('a selected unit stays selected when others come, and gives way when it goes', () => {
    const { model } = after(['j', 'j']);
    expect(selectionOf(model, ['aaa', ...names])).toBe('web');
    expect(selectionOf(model, ['api', 'db'])).toBe('api');
  });
});

describe('the screen', () => {
  const unit = (name: string, more: Partial<UnitStatus> = {}): UnitStatus =>
    ({ name, hash: 'h', kind: 'service', health: 'healthy', phase: 'running', lifecycle: 'running', command: `run ${name}`, ...more });
  const many = Array.from({ length: 60 }, (_, index) => unit(`unit-${String(index).padStart(2, '0')}`));
  const view = (units: readonly UnitStatus[], model: StatusModel, size: { columns: number; rows: number }, top = 0) => statusView({
    snapshot: { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'healthy', units },
    model, ...size, color: false, fullCommands: false, top, message: '', problem: '', news: '',
  });

  test('says which of its lines are shown on a line of its own, which a long summary cannot push out', () => {
    const { lines } = view(many, firstModel, { columns: 80, rows: 24 });
    expect(lines.at(-3)).toMatch(/^Overall health/);
    expect(lines.at(-2)).toMatch(/^1-20 of \d+ lines$/);
  });

  test.each([[80, 24], [120, 40], [200, 50], [30, 8]])('is never larger than %i by %i, and shows the selected unit', (columns, rows) => {
    for (const name of ['unit-00', 'unit-31', 'unit-59']) {
      const { lines } = view(many, { ...firstModel, selected: name }, { columns, rows });
      expect(lines.length).toBeLessThanOrEqual(rows);
      if (columns >= 80) for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      expect(lines.filter((line) => line.startsWith('> '))).toEqual([expect.stringContaining(name)]);
    }
  });

  test('shows the gravest thing: that the figures are old, then what became of a command, then what happened', () => {
    const said = (given: Partial<Parameters<typeof statusView>[0]>): string | undefined => statusView({
      snapshot: { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'healthy', units: [unit('web')] },
      model: firstModel, columns: 80, rows: 24, color: false, fullCommands: false, top: 0, message: '', problem: '', news: 'web: running → backoff', ...given,
    }).lines.at(-2);
    expect(said({})).toBe('web: running → backoff');
    expect(said({ message: 'stopped' })).toBe('stopped');
    expect(said({ message: 'stopped', problem: 'The supervisor is gone' })).toBe('The supervisor is gone');
  });

  test('sums up all units, whatever the filter leaves of them', () => {
    const units = [unit('web'), unit('db', { phase: 'failed', health: 'failing' })];
    expect(view(units, { ...firstModel, filter: 'web' }, { columns: 80, rows: 24 }).lines.at(-3)).toBe('Overall health: healthy (1 failed, 1 running)   filter: web');
  });

  test('has a help that fits 80 columns', () => {
    for (const line of view([unit('web')], { ...firstModel, mode: 'help' }, { columns: 80, rows: 24 }).lines) expect(line).not.toContain('…');
  });

  test('shows what passes the filter while it is typed', () => {
    const units = [unit('web'), unit('db', { phase: 'failed', health: 'failing', lifecycle: 'exited_with_error' })];
    expect(view(units, { ...firstModel, mode: 'filter', typed: 'FAIL' }, { columns: 80, rows: 24 }).names).toEqual(['db']);
    expect(view(units, { ...firstModel, filter: 'run w' }, { columns: 80, rows: 24 }).names).toEqual(['web']);
    expect(view(units, { ...firstModel, filter: 'zzz' }, { columns: 80, rows: 24 }).lines).toContain('No unit matches \'zzz\'.');
  });
});

describe('the pager', () => {
  const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`);

  test('stays at the end of a text that grows until a key scrolls away', () => {
    const pager = openPager({ footer: () => '', follows: true });
    pager.show(lines);
    expect(pager.frame(80, 11)[9]).toBe('line 49');
    pager.show([...lines, 'more']);
    expect(pager.frame(80, 11)[9]).toBe('more');
    expect(pager.press('up')).toBe(true);
    pager.show([...lines, 'more', 'and more']);
    expect(pager.frame(80, 11)[9]).toBe('line 49');
    pager.press('G');
    expect(pager.frame(80, 11)[9]).toBe('and more');
  });

  test.each(['q', 'escape', 'left'])('%s leaves it', (key) => {
    expect(openPager({ footer: () => '' }).press(key)).toBe(false);
  });
});
