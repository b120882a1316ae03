import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JournalRecord, UnitStatus } from '../../src/wire/payloads.ts';
import type { Host } from '../../src/cli/host.ts';
import { lastRun } from '../../src/cli/inspection.ts';
import { inspectReport, type Report } from '../../src/cli/print/inspect.ts';
import displayWidth from '../../src/width.ts';
import { tempDir } from '../temp-dir.ts';
import { sysg } from './rig.ts';

const nowMs = Date.parse('2026-01-01T00:10:00Z');
const web: UnitStatus = {
  name: 'web', hash: '0123456789abcdef', kind: 'service', lifecycle: 'running', health: 'healthy', process: { pid: 70, state: 'running', user: 'www' },
  uptime: { seconds: 3723, human: '1 hours ago' }, last_exit: { signal: 9 }, command: `node ${'argument '.repeat(30)}end`, phase: 'running', wanted: 'up',
  restarts: 2, generation: 3, since: '2026-01-01T00:09:00Z',
  metrics: { latest_cpu_percent: 12.345, average_cpu_percent: 5, max_cpu_percent: 90, latest_rss_bytes: 1024, samples: 4, average_rss_bytes: 2048, max_rss_bytes: 4096 },
  spawned_children: [{ child: { name: 'sh', pid: 71, parent_pid: 70, command: 'sh -c x', started_at: { secs_since_epoch: nowMs / 1000 - 65, nanos_since_epoch: 0 }, depth: 1, kind: 'peripheral' } }],
};
const host: Host = { system: 'Linux', cpus: [0, 50, 100], memory: { used: 2 ** 30, total: 2 ** 32 }, swap: { used: 0, total: 0 }, load: [1, 2, 3] };
const report: Report = {
  unit: web, samples: [], windowSeconds: 5, nowMs, host, transitions: [],
  processes: [{
    detail: { pid: 70, parentPid: 1, startTime: '1', user: 'www', priority: 20, nice: 0, virtualBytes: 2 ** 32, residentBytes: 2 ** 30, sharedBytes: 4096, state: 'S', cpuMs: 754_320 },
    command: '/usr/bin/node server.js', prefix: '', cpuPercent: 3.21,
  }],
};
const lines = (given: Partial<Report> = {}, width: number | null = null): string[] => inspectReport({ ...report, ...given }, { width, color: false, glyphs: false });
const titles = (text: readonly string[]): (string | undefined)[] => text.flatMap((line) => /^── (.+?) ─+$/.exec(line)?.[1] ?? []);

describe('the report about a unit', () => {
  test('has its sections in systemg 0.33.0\'s order', () => {
    expect(titles(lines())).toEqual(['Overview', 'Process Tree (1 total)', 'Resource Metrics', 'System Resources', 'Time Series Charts', 'Process Details Table']);
  });

  test('does not date a suspension, which may have come long after the last run', () => {
    const unit: UnitStatus = { ...web, kind: 'cron', phase: 'waiting', wanted: 'down' };
    expect(lines({ unit })).toContain('State      suspended');
    expect(lines({ unit: { ...unit, wanted: 'up' } }).find((line) => line.startsWith('State'))).toMatch(/^State +waiting for/);
  });

  test('shows what is measured, with averages and maxima of their own', () => {
    expect(lines()).toEqual(expect.arrayContaining([
      'State      running for 1m', 'Last exit  SIGKILL', 'Restarts   2 (process number 3)', '└─ sh [PID: 71, Up: 1m 5s, depth: 1]',
      'Latest: 12.35% CPU | 1.0KB RSS', 'Average: 5.00% CPU | 2.0KB RSS', 'Maximum: 90.00% CPU | 4.0KB RSS', 'Samples: 4',
      `  1 [${'|'.repeat(20)}${' '.repeat(20)}]  50.0%`, `Mem [${'|'.repeat(10)}${' '.repeat(30)}] 1.00/4.00G`,
    ]));
    expect(lines().at(-1)).toMatch(/^node +70 +1 +www +20 +0 +4\.0GB +1\.0GB +4\.0KB +S +3\.2 +25\.0 +12:34\.32 +\/usr\/bin\/node server\.js$/);
  });

  test('shows how long a spawned child may live, and how one ended', () => {
    const child = { name: 'job', pid: 72, parent_pid: 70, command: 'job', started_at: { secs_since_epoch: nowMs / 1000 - 65, nanos_since_epoch: 0 }, depth: 1 };
    const tree = [{ child: { ...child, ttl: { secs: 900, nanos: 0 } } }, { child: { ...child, pid: 73, last_exit: { signal: 9 } } }];
    expect(lines({ unit: { ...web, spawned_children: tree } })).toEqual(expect.arrayContaining([
      '├─ job [PID: 72, Up: 1m 5s, depth: 1, ttl: 15m]', '└─ job [PID: 73, Exited: SIGKILL, depth: 1]',
    ]));
  });

  test.each([80, 120, 200])('fits %i columns, with the whole command', (width) => {
    const shown = lines({}, width);
    for (const line of shown) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    const from = shown.findIndex((line) => line.startsWith('Command'));
    const to = shown.findIndex((line) => line.startsWith('Hash'));
    expect(shown.slice(from, to).map((line) => line.slice(11).trim()).join(' ')).toBe(web.command);
  });

  test('says why there are no figures', () => {
    const { process: _process, metrics: _metrics, ...resting } = web;
    expect(lines({ unit: resting })).toEqual(expect.arrayContaining(['Not available (service not running)', 'Unit is not currently running']));
    expect(lines({ processes: [] })).toContain('Root process no longer available: 70');
    expect(lines({ unit: { ...resting, kind: 'cron' } })).toContain('Awaiting next cron execution');
  });

  test('of a cron unit ends with its runs', () => {
    const started_at = '2026-01-01T00:00:00Z';
    const runs = [{ started_at, pid: 5 }, { started_at, status: { Failed: 'Timed out after 5s' } }, { started_at, status: 'Success' as const, exit_code: 0, user: 'me', command: 'tick' }];
    const shown = lines({ unit: { ...web, kind: 'cron', cron: { timezone_label: 'UTC', recent_runs: runs } } });
    expect(titles(shown).at(-1)).toBe('Cron Run History (last 10)');
    expect(shown.slice(-3).map((line) => line.slice(21).trim().split(/ {2,}/))).toEqual([
      ['running', '-', '5', '-'], ['Timed out after 5s', '-', '-', '-'], ['ok', 'me', '-', 'tick'],
    ]);
  });

  test('lets no name steer the terminal', () => {
    // eslint-disable-next-line no-control-regex
    expect(lines({ unit: { ...web, name: 'w\u001b[2Jeb', command: 'a\u0007b' } }).join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});

describe('inspect', () => {
  test('needs a unit', async () => {
    const { exitCode, stderr } = await sysg(['inspect']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("expected UNIT...: the names of one or more units, or patterns such as 'web*'");
  });

  test.each([['inspect', '-s', 'web'], ['status']])('%s refuses a bad --stream before it asks anybody', async (...argv) => {
    expect(await sysg([...argv, '--stream', ''])).toEqual({ exitCode: 1, stdout: '', stderr: 'sysg: Invalid stream duration \'\': Stream duration cannot be empty\n' });
    expect(await sysg([...argv, '--stream', '5 parsecs'])).toEqual({ exitCode: 1, stdout: '', stderr: 'sysg: Invalid stream duration \'5 parsecs\': Unknown time unit: parsecs\n' });
  });

  test('without a supervisor shows what the configuration and the files say', async () => {
    const home = tempDir();
    writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices:\n  web:\n    command: sleep 1\n');
    const around = { env: { HOME: home }, cwd: home };
    const { exitCode, stdout } = await sysg(['inspect', '-s', 'web', '--json'], around);
    expect(JSON.parse(stdout)).toMatchObject({ unit: { name: 'web', lifecycle: 'stopped', command: 'sleep 1' }, samples: [], supervised: false });
    expect(exitCode).toBe(3);
    const unknown = await sysg(['inspect', '-s', 'nope'], around);
    expect(unknown).toMatchObject({ exitCode: 2, stdout: expect.stringMatching(/^No supervisor is running/), stderr: 'sysg: Service \'nope\' not found.\n' });
    expect(JSON.parse((await sysg(['inspect', '-s', 'nope', '--json'], around)).stdout)).toEqual({ unit: null, samples: [], supervised: false });
  });
});

describe('what a cron unit\'s charts show', () => {
  const sample = { timestamp: '2026-01-01T00:00:01Z', cpu_percent: 1, rss_bytes: 1, io_read_bytes: 0, io_write_bytes: 0, net_rx_bytes: 0, net_tx_bytes: 0 };
  const cron = (run: object): UnitStatus => ({ ...web, kind: 'cron', cron: { timezone_label: 'UTC', last_run: { started_at: '2026-01-01T00:00:00Z', ...run } } });

  test('is its newest run as a whole, however long ago', () => {
    expect(lastRun(cron({ completed_at: '2026-01-01T00:00:03Z', metrics: [sample] }))).toEqual({ samples: [sample], windowMs: 3000 });
    expect(lastRun(cron({ metrics: [sample] }))?.windowMs).toBeGreaterThan(3000);
  });

  test('is the run that went on, not one that was left out for it', () => {
    const overlap = { started_at: '2026-01-01T00:00:02Z', completed_at: '2026-01-01T00:00:02Z', status: 'OverlapError' as const };
    const run = { started_at: '2026-01-01T00:00:00Z', completed_at: '2026-01-01T00:00:03Z', metrics: [sample] };
    expect(lastRun({ ...web, kind: 'cron', cron: { timezone_label: 'UTC', last_run: overlap, recent_runs: [overlap, run] } })).toEqual({ samples: [sample], windowMs: 3000 });
  });

  test('is nothing when nothing was measured in it, or it is no cron unit', () => {
    expect(lastRun(cron({}))).toBeNull();
    expect(lastRun(web)).toBeNull();
  });
});

test('the last changes are shown newest first, with cause and detail', () => {
  const records: JournalRecord[] = [
    { seq: 1, at: '2026-01-01T00:08:00Z', unit: 'web', generation: 2, event: 'process.spawned', from: 'spawning', to: 'starting', cause: { kind: 'command', by: 'restart' }, detail: { pid: 70 } },
    {
      seq: 2, at: '2026-01-01T00:09:00Z', unit: 'web', generation: 2, event: 'process.gone', from: 'clearing', to: 'backoff', cause: { kind: 'exit', seq: 1 },
      detail: { exit_code: 3, reason: 'process exited with status 3', attempt: 1, max_restarts: 5, last_stderr: ['first', 'bo\u001bom'] },
    },
  ];
  const shown = lines({ transitions: records });
  const from = shown.findIndex((line) => line.startsWith('── Last Transitions (2)'));
  expect(shown.slice(from + 1, from + 4).map((line) => line.trim().split(/ {2,}/).slice(1))).toEqual([
    ['AGO', 'GEN', 'CHANGE', 'CAUSE', 'DETAIL'], ['1m', '2', 'clearing → backoff', 'exit', 'exit 3, attempt 1 of 5, "bo om"'], ['2m', '2', 'spawning → starting', 'command restart', 'pid 70'],
  ]);
  for (const width of [60, 80, 120]) for (const line of lines({ transitions: records }, width)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
});
