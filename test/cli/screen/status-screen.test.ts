import { describe, expect, test } from 'vitest';
import type { UnitStatus } from '../../../src/wire/payloads.ts';
import displayWidth from '../../../src/width.ts';
import { helpLines, openHelp } from '../../../src/cli/screen/details.ts';
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
    expect(after(['L']).actions).toEqual([{ kind: 'logs', unit: null }]);
  });

  test('search goes to the next match, n and N go on, around the end', () => {
    expect(selected('/', 'w', 'enter')).toBe('web');
    expect(selected('/', 'w', 'enter', 'n')).toBe('worker');
    expect(selected('/', 'w', 'enter', 'n', 'n')).toBe('web');
    expect(selected('/', 'w', 'enter', 'N')).toBe('worker');
    expect(selected('/', 'z', 'enter')).toBe('api');
    expect(after(['/', 'q', 's', 'escape']).actions).toEqual([]);
  });

  test.each(['f', '/'])('after %s, what is pasted beyond what anybody types changes nothing, and is not drawn', (key) => {
    const { model } = after([key, ...'z'.repeat(200)]);
    expect(model.typed).toHaveLength(200);
    expect(press(model, 'z', [], 5).model).toBe(model);
    expect(after(['backspace', 'y'], model).model.typed).toBe(`${'z'.repeat(199)}y`);
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
  const pane = (name: string | null, rows: number): readonly string[] => Array.from({ length: rows }, (_, index) => `${name} line ${index}`);
  const many = Array.from({ length: 60 }, (_, index) => unit(`unit-${String(index).padStart(2, '0')}`));
  const view = (units: readonly UnitStatus[], model: StatusModel, size: { columns: number; rows: number }, top = 0) => statusView({
    snapshot: { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'healthy', units },
    model, ...size, color: false, fullCommands: false, top, message: '', problem: '', news: '', pane,
  });

  test('says which of its lines are shown on a line of its own, which a long summary cannot push out', () => {
    const { lines } = view(many, firstModel, { columns: 80, rows: 24 });
    expect(lines.at(-3)).toMatch(/^Overall health/);
    expect(lines.at(-2)).toMatch(/^1-20 of \d+ lines$/);
  });

  test.each([[80, 24], [120, 40], [200, 50], [30, 8], [20, 5]])('is never larger than %i by %i, and shows the selected unit', (columns, rows) => {
    for (const name of ['unit-00', 'unit-31', 'unit-59']) {
      const { lines } = view(many, { ...firstModel, selected: name }, { columns, rows });
      expect(lines.length).toBeLessThanOrEqual(rows);
      if (columns >= 80) for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      expect(lines.filter((line) => line.startsWith('> '))).toEqual([expect.stringContaining(name)]);
    }
  });

  test.each([[40, 12], [20, 5]])('on %i by %i cuts the names rather than what the units are, and has a line for the keys', (columns, rows) => {
    const { lines } = view([unit('a-service-with-a-long-name'), unit('web')], firstModel, { columns, rows });
    expect(lines.length).toBe(rows);
    expect(lines[1]).toMatch(/^> a-serv.*… +● running/);
    expect(lines.at(-1)).toContain('? help');
  });

  test('shows the gravest thing: that the figures are old, then what became of a command, then what happened', () => {
    const said = (given: Partial<Parameters<typeof statusView>[0]>): string | undefined => statusView({
      snapshot: { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'healthy', units: [unit('web')] },
      model: firstModel, columns: 80, rows: 24, color: false, fullCommands: false, top: 0, message: '', problem: '', news: 'web: running → backoff', pane, ...given,
    }).lines.at(-2);
    expect(said({})).toBe('web: running → backoff');
    expect(said({ message: 'stopped' })).toBe('stopped');
    expect(said({ message: 'stopped', problem: 'The supervisor is gone' })).toBe('The supervisor is gone');
  });

  test('names below its summary what the disk does not take', () => {
    const below = (unwritten: readonly string[]): readonly string[] => statusView({
      snapshot: { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'healthy', units: many, unwritten },
      model: firstModel, columns: 80, rows: 24, color: false, fullCommands: false, top: 0, message: '', problem: '', news: '', pane,
    }).lines.slice(-4, -2);
    const text = '/s/pid.xml: cannot be written: ENOSPC';
    expect(below([text])).toEqual([expect.stringMatching(/^Overall health/), text]);
    expect(below([text, text])[1]).toBe(`2 files cannot be written, see sysg doctor; ${text}`.slice(0, 79) + '…');
    expect(below([])[1]).toMatch(/^Overall health/);
  });

  test('sums up all units, whatever the filter leaves of them', () => {
    const units = [unit('web'), unit('db', { phase: 'failed', health: 'failing' })];
    const { lines } = view(units, { ...firstModel, filter: 'web' }, { columns: 80, rows: 24 });
    expect(lines.slice(-3, -1)).toEqual(['Overall health: healthy (1 failed, 1 running)', "filter 'web': 1 of 2 units"]);
    expect(view(units, { ...firstModel, filter: 'zzz' }, { columns: 80, rows: 24 }).lines.slice(-3, -1)).toEqual(['Overall health: healthy (1 failed, 1 running)', "filter 'zzz': 0 of 2 units"]);
  });

  test('has a summary that goes on where one line is too short for it', () => {
    const phases = ['failed', 'backoff', 'starting', 'stopping', 'running', 'waiting', 'stopped'] as const;
    const units = phases.map((phase, index) => unit(`unit${index}`, { phase }));
    const { lines } = view([...units, unit('late', { ready: false })], { ...firstModel, filter: 'unit0' }, { columns: 60, rows: 24 });
    expect(lines).toHaveLength(24);
    expect(lines.slice(-5, -1).join(' ').replaceAll(/ +/g, ' ')).toContain('(1 failed, 1 backoff, 1 unready, 1 starting, 1 stopping, 1 running, 1 waiting, 1 stopped)');
  });

  const busy = Array.from({ length: 12 }, (_, index) => unit(`web${index}`, {
    process: { pid: 4711 + index, state: 'running', user: 'www' }, uptime: { seconds: 3600 + index, human: '' }, restarts: 12 - index, command: `node server.js --port ${8000 + index} --and more`,
    metrics: { latest_cpu_percent: index % 5, average_cpu_percent: 0, max_cpu_percent: 0, latest_rss_bytes: 1e8 - index, samples: 1 },
    spawned_children: [{ child: { name: 'sh', pid: 71, parent_pid: 70, command: 'sh -c x', started_at: { secs_since_epoch: 0, nanos_since_epoch: 0 }, depth: 1, kind: 'peripheral' } }],
  }));

  test('has one row for each unit, in the natural order of their names; the command gives way first, processes come with t', () => {
    const { lines, names: shown } = view(busy, firstModel, { columns: 80, rows: 24 });
    expect(shown).toEqual(busy.map(({ name }) => name));
    expect(lines.slice(1, 13).map((line) => /^..(\S+)/.exec(line)?.[1])).toEqual(shown);
    expect(lines[0]).toMatch(/UNIT +STATE +PID +UPTIME +RESTARTS +CPU +RSS +HEALTH/);
    expect(lines[0]).not.toContain('COMMAND');
    expect(view(busy, firstModel, { columns: 120, rows: 24 }).lines[1]).toContain('node server.js --port 8000');
    expect(view(busy, { ...firstModel, unitsOnly: false }, { columns: 80, rows: 24 }).lines[2]).toContain('└─ sh');
  });

  test('is in the order of a column, which is marked, and turned round', () => {
    const order = (...keys: string[]) => view(busy, after(keys).model, { columns: 80, rows: 24 });
    const first = (shown: ReturnType<typeof order>): string => `${/(\S+)[▲▼]/.exec(shown.lines[0] ?? '')?.[0]} ${shown.names[0]}`;
    expect([first(order('o')), first(order('o', 'O')), first(order('o', 'o', 'o')), first(order('<', '<')), first(order('<', '<', 'O'))])
      .toEqual(['UNIT▲ web0', 'UNIT▼ web11', 'CPU▼ web4', 'RESTARTS▼ web0', 'RESTARTS▲ web11']);
    expect(order('o', 'o', 'o').names.slice(0, 4)).toEqual(['web4', 'web9', 'web3', 'web8']);
  });

  test.each([[80, 24], [120, 40], [200, 50]])('has a pane with the log of the unit under the cursor at %i by %i', (columns, rows) => {
    const { model } = after(['p', 'j'], firstModel, busy.map(({ name }) => name));
    const { lines, height } = view(busy, model, { columns, rows });
    expect(lines).toHaveLength(rows);
    const begin = lines.indexOf('web1 line 0');
    expect(begin).toBe(height + 1);
    expect(lines.slice(begin, -3).every((line) => line.startsWith('web1 line '))).toBe(true);
    expect(rows - 4 - height).toBe(Math.floor((rows - 4) * 0.4));
    expect(view(busy, after(['p', 'p']).model, { columns, rows }).lines.join('\n')).not.toContain('line 0');
  });

  test.each([20, 39, 40, 80, 100, 120, 125, 200])('has its keys in %i columns, none of them cut', (columns) => {
    expect(view([unit('web')], firstModel, { columns, rows: 24 }).lines.at(-1)).toMatch(/\? help/);
    expect(view([unit('web')], firstModel, { columns, rows: 24 }).lines.at(-1)).not.toContain('…');
  });

  test.each([[80, 24], [40, 12], [20, 5]])('has a help of which every line is seen in %i columns and %i rows, whole, and which ? and q leave', (columns, rows) => {
    expect(press(firstModel, '?', ['web'], 10).action).toEqual({ kind: 'help' });
    const screen = openHelp(false);
    const seen = new Set<string>();
    for (let count = 0; count < 60; count += 1) {
      const lines = screen.frame(columns, rows);
      expect(lines).toHaveLength(rows);
      for (const line of lines) {
        expect(displayWidth(line)).toBeLessThanOrEqual(columns);
        for (const word of line.split(' ')) seen.add(word);
      }
      expect(screen.press('down')).toBe(true);
    }
    for (const word of helpLines(200).join(' ').split(' ')) expect(seen).toContain(word);
    expect(['?', 'h', 'q', 'escape'].map((key) => screen.press(key))).toEqual([false, false, false, false]);
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

  test('keeps the line that matters in sight wherever that goes, until a key scrolls; a point goes back to it', () => {
    const pager = openPager({ footer: () => '' });
    const shown = (line: number): string[] => {
      pager.focus(line);
      pager.show(lines);
      return pager.frame(80, 11);
    };
    expect(shown(3)[0]).toBe('line 0');
    expect(shown(30)).toContain('line 30');
    // What follows the line is seen too.
    expect(shown(30)).toContain('line 35');
    expect(shown(10)).toContain('line 10');
    pager.press('G');
    expect(shown(10)[9]).toBe('line 49');
    pager.press('.');
    expect(shown(10)).toContain('line 10');
    expect(shown(40)).toContain('line 40');
  });

  test.each(['q', 'escape', 'left'])('%s leaves it', (key) => {
    expect(openPager({ footer: () => '' }).press(key)).toBe(false);
  });
});
