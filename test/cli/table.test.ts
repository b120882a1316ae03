import { describe, expect, test } from 'vitest';
import type { StatusSnapshot, UnitStatus } from '../../src/wire/payloads.ts';
import { statusTable } from '../../src/cli/print/status.ts';
import { stateOf } from '../../src/cli/print/unit.ts';
import displayWidth, { fit, legible, padded, printable } from '../../src/width.ts';
import { table } from '../../src/cli/print/table.ts';

const web: UnitStatus = {
  name: 'web', hash: '0123456789abcdef', kind: 'service', health: 'healthy', lifecycle: 'running', phase: 'running', restarts: 2,
  process: { pid: 4711, state: 'running' }, uptime: { seconds: 3723, human: '1 hours ago' }, command: 'node server.js --port 8080',
};
const crasher: UnitStatus = {
  name: 'a-crashing-worker-with-a-long-name', hash: 'fedcba9876543210', kind: 'service', health: 'failing', lifecycle: 'exited_with_error', phase: 'backoff',
  restarts: 17, next_at: '2026-01-01T00:00:03.200Z', last_exit: { exit_code: 3 },
  command: 'sh -c "while true; do sleep 1; echo a rather long command that nobody wants to read to its end; done"',
};

function snapshotOf(units: readonly UnitStatus[]): StatusSnapshot {
  return { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00.000Z', overall_health: 'failing', units };
}

function lines(units: readonly UnitStatus[], width: number | null, color = false): string[] {
  return statusTable(snapshotOf(units), { width, color });
}

describe('the status table', () => {
  test('is not cut when there is no terminal', () => {
    expect(lines([web, crasher], null)).toEqual([
      'UNIT                                STATE        PID  UPTIME  RESTARTS  HEALTH   LAST_EXIT  COMMAND',
      `a-crashing-worker-with-a-long-name  backoff 4s     -  -             17  failing  exit 3     ${crasher.command}`,
      'web                                 running     4711  1h 2m          2  healthy  -          node server.js --port 8080',
      '',
      'Overall health: failing (1 backoff, 1 running)',
    ]);
  });

  test('cuts only commands where there is no terminal, those of processes too, and with --full-cmd not even these', () => {
    const script = `node -e "${'setInterval(() => {}, 1000); '.repeat(20)}"`;
    const child = { name: 'node', pid: 4712, parent_pid: 4711, depth: 1, started_at: { secs_since_epoch: 1_767_225_600, nanos_since_epoch: 0 }, command: script, kind: 'peripheral' } as const;
    const unit: UnitStatus = { ...web, name: 'w'.repeat(150), command: script, spawned_children: [{ child, children: [] }] };
    const [, own = '', below = ''] = lines([unit], null);
    for (const row of [own, below]) expect(row.slice(row.indexOf('node -e'))).toBe(`${script.slice(0, 119)}…`);
    expect(own).toContain(unit.name);
    expect(statusTable(snapshotOf([unit]), { width: null, color: false, fullCommands: true })[1]).toContain(script);
  });

  test.each([80, 120, 200])('fits %i columns and keeps name, state and health', (width) => {
    const rows = lines([web, crasher], width);
    for (const row of rows) expect(displayWidth(row)).toBeLessThanOrEqual(width);
    expect(rows[0]).toMatch(/^UNIT +STATE +PID +UPTIME +RESTARTS +HEALTH/);
    expect(rows[1]).toMatch(/^a-crashing-.+ backoff 4s .+failing/);
    expect(rows.find((row) => row.startsWith('web'))).toMatch(/^web .+running +4711 +1h 2m .+healthy/);
  });

  test('shows below a row what finds no place in it', () => {
    expect(lines([web, { ...crasher, name: 'bad', command: 'exit 3' }], 60)).toEqual([
      'UNIT  STATE        PID  UPTIME  RESTARTS  HEALTH   LAST_EXIT',
      'bad   backoff 4s     -  -             17  failing  exit 3',
      '    exit 3',
      'web   running     4711  1h 2m          2  healthy  -',
      '    node server.js --port 8080',
      '', 'Overall health: failing (1 backoff, 1 running)',
    ]);
  });

  test('says for whom a unit waits, and leaves out what is no news below a row', () => {
    const { process: _process, ...resting } = web;
    const waiting: UnitStatus = { ...resting, name: 'app', health: 'degraded', phase: 'starting', restarts: 0, waits_for: [{ unit: 'db' }, { unit: 'cache' }] };
    const cron: UnitStatus = { ...resting, name: 'tick', kind: 'cron', phase: 'waiting', restarts: 0 };
    const rows = lines([waiting, cron], 60);
    expect(rows[1]).toMatch(/^app +waits for db \+1 /);
    expect(rows.filter((row) => row.startsWith('    '))).toEqual(['    node server.js --port 8080', '    cron · node server.js --port 8080']);
  });

  test('has figures of processes that live alone', () => {
    const metrics = { latest_cpu_percent: 12.5, average_cpu_percent: 1, max_cpu_percent: 99, latest_rss_bytes: 2048, samples: 3 };
    const rows = lines([{ ...web, metrics }, { ...crasher, name: 'gone', metrics }], null);
    expect(rows.find((row) => row.startsWith('web'))).toMatch(/ 12\.5% +2\.0KB /);
    expect(rows.find((row) => row.startsWith('gone'))).not.toMatch(/%|KB/);
  });

  test('counts in its last line what needs attention first', () => {
    const { process: _process, ...resting } = web;
    const units = [web, { ...resting, name: 'done', phase: 'stopped' as const, lifecycle: 'exited_successfully' as const }, { ...resting, name: 'dead', phase: 'failed' as const }, crasher];
    expect(lines(units, null).at(-1)).toBe('Overall health: failing (1 failed, 1 backoff, 1 running, 1 completed)');
  });

  test('has commands in full when that is asked for, over as many lines as it takes', () => {
    const rows = statusTable(snapshotOf([crasher]), { width: 60, color: false, fullCommands: true });
    for (const row of rows) expect(displayWidth(row)).toBeLessThanOrEqual(60);
    expect(rows.slice(2, -2).map((row) => row.trim()).join(' ')).toContain(crasher.command);
  });

  test('has what needs attention first', () => {
    const units: UnitStatus[] = [{ ...web, name: 'a' }, { ...web, name: 'b', health: 'degraded' }, { ...crasher, name: 'd' }, { ...crasher, name: 'c' }];
    expect(lines(units, null).slice(1, 5).map((line) => line[0])).toEqual(['c', 'd', 'b', 'a']);
  });

  test('has the processes of a unit below it, as a tree that keeps its indentation', () => {
    const child = (name: string, pid: number, depth: number) => ({
      name, pid, parent_pid: 1, command: `${name} --flag`, started_at: { secs_since_epoch: Date.parse('2026-01-01T00:00:00Z') / 1000 - 90, nanos_since_epoch: 0 },
      depth, cpu_percent: 5, rss_bytes: 2048, kind: 'peripheral' as const,
    });
    const tree = [{ child: child('/usr/bin/python3', 10, 1), children: [{ child: child('sh', 11, 2) }] }, { child: child('sleep', 12, 1) }];
    const rows = lines([{ ...web, spawned_children: tree, metrics: { latest_cpu_percent: 1, average_cpu_percent: 1, max_cpu_percent: 1, latest_rss_bytes: 1, samples: 1 } }], null);
    expect(rows.slice(2, 5)).toEqual([
      expect.stringMatching(/^├─ python3 +running +10 +1m 30s +- +5\.0% +2\.0KB +- +\/usr\/bin\/python3 --flag$/),
      expect.stringMatching(/^│ {2}└─ sh +running +11 /),
      expect.stringMatching(/^└─ sleep +running +12 /),
    ]);
  });

  test('distinguishes spawned children from found processes, and how those ended that are still shown', () => {
    const child = (name: string, pid: number, more = {}) => ({
      name, pid, parent_pid: 1, command: 'sleep 1', started_at: { secs_since_epoch: Date.parse('2026-01-01T00:00:00Z') / 1000 - 90, nanos_since_epoch: 0 }, depth: 1, ...more,
    });
    const tree = [{ child: child('job', 10) }, { child: child('done', 11, { last_exit: { exit_code: 3 } }) }, { child: child('sh', 12, { kind: 'peripheral' }) }];
    const rows = lines([{ ...web, spawned_children: tree }], null);
    expect(rows[0]).toMatch(/^UNIT +KIND /);
    expect(rows.slice(1, 5)).toEqual([
      expect.stringMatching(/^web +srvc +/), expect.stringMatching(/^├─ job +spwn +running +10 /), expect.stringMatching(/^├─ done +spwn +exited +11 .* exit 3 /),
      expect.stringMatching(/^└─ sh +peri +running +12 /),
    ]);
  });

  test('has a mark before each state when it is for a terminal', () => {
    const rows = statusTable(snapshotOf([web, crasher]), { width: 120, color: false, glyphs: true });
    expect(rows[1]).toContain('↻ backoff');
    expect(rows[2]).toContain('● running');
  });

  test('cuts the command before the name', () => {
    const [, row = ''] = lines([crasher], 120);
    expect(row).toContain('a-crashing-worker-with-a-long-name');
    expect(row.endsWith('…')).toBe(true);
    expect(displayWidth(row)).toBe(120);
  });

  test('leaves columns out when even cut cells do not fit', () => {
    const header = lines([web, crasher], 50)[0] ?? '';
    expect(header).not.toContain('COMMAND');
    expect(header).toContain('HEALTH');
    expect(displayWidth(header)).toBeLessThanOrEqual(50);
  });

  test('has CPU and RSS only when somebody measured them', () => {
    const metrics = { latest_cpu_percent: 12.34, average_cpu_percent: 1, max_cpu_percent: 20, latest_rss_bytes: 3 * 1024 * 1024, samples: 5 };
    expect(lines([web], null)[0]).not.toContain('RSS');
    const [header, measured, other] = lines([{ ...web, metrics }, crasher].toReversed(), null);
    expect(header).toMatch(/ CPU +RSS /);
    expect(other).toMatch(/ 12\.3% +3\.0MB /);
    expect(measured).toMatch(/ - +- +failing/);
  });

  test('colours words without changing where they stand', () => {
    const plain = lines([web, crasher], 120);
    const coloured = lines([web, crasher], 120, true);
    expect(coloured[1]).toContain('\u001b[31mfailing\u001b[39m');
    // eslint-disable-next-line no-control-regex
    expect(coloured.map((line) => line.replace(/\u001b\[[0-9;]*m/g, ''))).toEqual(plain);
  });

  test('lets no name or command steer the terminal', () => {
    const evil = { ...web, name: 'w\u001b[2Jeb\u202e', command: 'printf "a\nb"\u0007' };
    const all = lines([evil], null).join('\n');
    // eslint-disable-next-line no-control-regex
    expect(all).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(all).toContain('printf "a b"');
  });

  test('names the signal that ended a unit', () => {
    expect(lines([{ ...crasher, last_exit: { signal: 9 } }], null)[1]).toContain('SIGKILL');
  });
});

describe('the state of a unit', () => {
  test.each([
    ['completed', { phase: 'stopped', lifecycle: 'exited_successfully' }],
    ['skipped', { phase: 'stopped', lifecycle: 'skipped' }],
    ['stopped', { phase: 'stopped', lifecycle: 'stopped' }],
    ['unready', { phase: 'running', ready: false }],
    ['failed', { phase: 'failed', lifecycle: 'exited_with_error' }],
    ['waiting', { phase: 'waiting', wanted: 'up' }],
    ['suspended', { phase: 'waiting', wanted: 'down' }],
  ] as const)('is %s by its phase and outcome', (word, facts) => {
    expect(stateOf({ name: 'x', hash: 'h', kind: 'service', health: 'healthy', ...facts })).toBe(word);
  });

  test.each([
    ['missing', { process: { pid: 1, state: 'missing' }, lifecycle: 'exited_with_error' }],
    ['failed', { lifecycle: 'exited_with_error' }],
    ['running', { process: { pid: 1, state: 'running' }, lifecycle: 'running' }],
    ['unknown', {}],
  ] as const)('is %s in what systemg 0.33.0 sends, which knows no phases', (word, facts) => {
    expect(stateOf({ name: 'x', hash: 'h', kind: 'service', health: 'healthy', ...facts })).toBe(word);
  });
});

describe('the width of text', () => {
  test.each([['abc', 3], ['héllo', 5], ['日本', 4], ['e\u0301', 1], ['\u001b[31mred\u001b[39m', 3], ['🚀', 2], ['✅ ❌', 5], ['🧪🟢⏳', 6], ['✓ ⚠ →', 5], ['🇩🇪', 2], ['한국'.normalize('NFD'), 4], ['', 0]])('%j takes %i columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test('blanks follow to a width, none where it is reached', () => {
    expect([padded('日本', 5), padded('e\u0301', 2), padded('日本', 3), padded('\u001b[31mred\u001b[39m', 4)]).toEqual(['日本 ', 'e\u0301 ', '日本', '\u001b[31mred\u001b[39m ']);
  });

  test('a cut never exceeds its width, not by half a wide character either', () => {
    expect(fit('日本語', 4)).toBe('日…');
    expect(fit('abc', 3)).toBe('abc');
    expect(fit('abcd', 3)).toBe('ab…');
  });

  test('a cut counts no colours and loses none, so that what was opened is closed', () => {
    expect(fit('\u001b[31mred\u001b[39m', 3)).toBe('\u001b[31mred\u001b[39m');
    expect(fit('a\u001b[31mbcd\u001b[39m', 3)).toBe('a\u001b[31mb…\u001b[39m');
  });

  test('legible text keeps its lines and blanks and loses what steers a terminal', () => {
    expect(legible('sysg: \u001b[2Jbad:  x\n  \u001b]0;title\u0007no \u001b[31mroute\u001b[0m\r\u0008')).toBe('sysg: bad:  x\n  no route');
  });

  test('printable text is one line of single blanks', () => {
    expect(printable('  a\t\n b\u0000c ')).toBe('a b c');
    expect(printable('\u001b[2J\u001b]0;title\u0007no \u001b[31mroute\u001b[0m')).toBe('no route');
  });
});

test('a table of no rows is its header', () => {
  expect(table([{ title: 'A', align: 'left', cell: () => ({ text: '' }) }, { title: 'B', align: 'right', cell: () => ({ text: '' }) }], [], 80)).toEqual(['A  B']);
});
