import { describe, expect, test } from 'vitest';
import type { JournalRecord, UnitStatus } from '../../../src/wire/payloads.ts';
import { why } from '../../../src/cli/print/why.ts';

const day = new Date();
const at = (clock: string, ms = 0): string => {
  const [hours, minutes, seconds] = clock.split(':').map(Number);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate(), hours, minutes, seconds, ms).toISOString();
};
const unit = (changes: Partial<UnitStatus>): UnitStatus => ({ name: 'api', hash: 'h', kind: 'service', health: 'healthy', wanted: 'up', restarts: 0, ...changes });
let seq = 0;
const record = (name: string, clock: string, from: string, to: string, more: Partial<JournalRecord> = {}): JournalRecord =>
  ({ seq: (seq += 1), at: at(clock), unit: name, event: 'e', from, to, ...more });

describe('why', () => {
  test('what another supervisor has left running is no unit, and is ended by the name that pid.xml has', () => {
    const orphan = (name: string, hash: string) => why({ unit: { name, hash, kind: 'orphaned', health: 'healthy', process: { pid: 7, state: 'running', user: 'me' } }, records: [], nowMs: 0 }).text;
    const text = 'runs as pid 7 without supervision: another supervisor has left it, and no configuration has it.';
    expect([orphan('old job', 'old job'), orphan('[orphaned] 12', '1234')]).toEqual([[`old job ${text} To end it: sysg stop -s 'old job'`], [`[orphaned] 12 ${text}`]]);
  });

  test('a unit that had failed and was stopped with its supervisor: also how it ended', () => {
    seq = 0;
    const records = [
      record('api', '12:00:00', 'stopped', 'spawning', { cause: { kind: 'boot' } }),
      record('api', '12:00:02', 'clearing', 'failed', { cause: { kind: 'exit', seq: 1 }, detail: { exit_code: 9, attempt: 0, reason: 'process exited with status 9', blame: 'process' } }),
      record('api', '12:01:00', 'failed', 'stopped', { cause: { kind: 'command', by: 'shutdown' } }),
      record('web', '12:01:01', 'stopping', 'stopped', { cause: { kind: 'exit', by: 'api', seq: 2 } }),
    ];
    const { wanted: _, ...alone } = unit({ phase: 'failed', lifecycle: 'stopped' });
    const text = [
      "api was stopped by the command 'shutdown' at 12:01:00.",
      'Before that it had failed (at its first attempt): it exited with code 9 at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00.',
    ];
    expect(why({ unit: alone, records, nowMs: Date.parse(at('12:02:00')) }).text).toEqual(text);
    expect(why({ unit: unit({ phase: 'stopped', wanted: 'down' }), records, nowMs: Date.parse(at('12:02:00')) }).text).toEqual(text);
    expect(why({ unit: { ...alone, name: 'web', phase: 'stopped' }, records, nowMs: Date.parse(at('12:02:00')) }).text).toEqual(['web was stopped because the process of api ended at 12:01:01.']);
  });

  test('an essential unit whose own end stopped everything has failed, or has completed', () => {
    seq = 0;
    const begun = record('api', '12:00:00', 'stopped', 'spawning', { cause: { kind: 'boot' } });
    const stop = (from: string): JournalRecord => record('api', '12:00:02', from, 'stopped', { cause: { kind: 'exit', by: 'api', seq: 2 } });
    const detail = { exit_code: 9, attempt: 0, reason: 'process exited with status 9', blame: 'process', last_stderr: ['no disk'] };
    const failed = [begun, record('api', '12:00:02', 'clearing', 'failed', { cause: { kind: 'exit', seq: 1 }, detail }), stop('failed')];
    const { wanted: _, ...alone } = unit({ phase: 'failed', lifecycle: 'stopped' });
    const it = 'It is essential: everything was stopped with it at 12:00:02.';
    for (const present of [alone, unit({ phase: 'stopped', wanted: 'down', lifecycle: 'stopped' })]) {
      expect(why({ unit: present, records: failed, nowMs: Date.parse(at('12:02:00')) }).text).toEqual([
        'api has failed (at its first attempt) because it exited with code 9 at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00.', 'Its last words: "no disk"', it,
      ]);
    }
    const completed = [begun, record('api', '12:00:02', 'clearing', 'stopped', { cause: { kind: 'exit', seq: 1 }, detail: { exit_code: 0 } }), stop('stopped')];
    expect(why({ unit: unit({ phase: 'stopped', lifecycle: 'exited_successfully' }), records: completed, nowMs: Date.parse(at('12:02:00')) }).text).toEqual([
      'api has completed: it exited with code 0 at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00.', it,
    ]);
  });

  test('a unit in backoff: code, times, attempt, next try, what its start followed, its last words', () => {
    seq = 0;
    const records = [
      record('db', '12:00:58', 'running', 'clearing', { cause: { kind: 'exit' }, detail: { signal: 'SIGKILL' } }),
      record('db', '12:01:05', 'starting', 'running', { cause: { kind: 'timer', seq: 1 } }),
      record('api', '12:01:06', 'waiting', 'spawning', { cause: { kind: 'dependency', by: 'db', seq: 2 } }),
      record('api', '12:01:07', 'clearing', 'backoff', {
        at: at('12:01:06', 800), cause: { kind: 'exit', seq: 3 },
        detail: { exit_code: 1, attempt: 3, max_restarts: 5, reason: 'process exited with status 1', last_stderr: ['no route to db'] },
      }),
    ];
    const told = why({ unit: unit({ phase: 'backoff', next_at: at('12:01:12') }), records, nowMs: Date.parse(at('12:01:08')) });
    expect(told.text).toEqual([
      'api is in backoff (attempt 3 of 5, next try in 4.0 s) because it exited with code 1 at 12:01:06, 0.8 s after its start at 12:01:06, '
        + "which followed db's return (killed by SIGKILL at 12:00:58).",
      'Its last words: "no route to db"',
    ]);
    expect(told.causes.map((cause) => cause.seq)).toEqual([1, 2, 3, 4]);
  });

  test('what started with the supervisor has not returned, though an earlier supervisor saw it end', () => {
    seq = 0;
    const records = [
      record('db', '11:00:00', 'running', 'stopping', { cause: { kind: 'command', by: 'shutdown' } }),
      record('db', '12:00:00', 'stopped', 'spawning', { cause: { kind: 'boot' } }),
      record('db', '12:00:01', 'starting', 'running', { cause: { kind: 'timer' } }),
      record('api', '12:00:01', 'waiting', 'spawning', { cause: { kind: 'dependency', by: 'db', seq: 3 } }),
    ];
    expect(why({ unit: unit({ phase: 'starting', since: at('12:00:01'), ready: false }), records, nowMs: Date.parse(at('12:00:05')) }).text).toEqual([
      "api has been starting since 12:00:01; it was started at 12:00:01, which followed db's start at 12:00:01.",
      'Its health check has not passed yet.',
    ]);
  });

  test('a program that put itself into the background is named', () => {
    const reason = 'process exited with status 0 and left "redis-server" (pid 8) running, which was ended';
    const records = [
      record('api', '12:00:00', 'waiting', 'spawning', { cause: { kind: 'boot' } }),
      record('api', '12:00:01', 'clearing', 'stopped', { cause: { kind: 'exit' }, detail: { exit_code: 0, reason, blame: 'process', left: ['"redis-server" (pid 8)'] } }),
    ];
    expect(why({ unit: unit({ phase: 'stopped', lifecycle: 'exited_successfully' }), records, nowMs: Date.parse(at('12:00:09')) }).text).toEqual([
      'api has completed: it exited with code 0 at 12:00:01, 1.0 s after its start with the supervisor at 12:00:00.',
      'It left "redis-server" (pid 8) running, which was ended; a program has to stay in the foreground, what it leaves running is ended with it.',
    ]);
  });

  test('a start behind the end that a command ordered is explained by that command', () => {
    seq = 0;
    const records = [
      record('api', '12:00:00', 'running', 'stopping', { cause: { kind: 'command', by: 'restart' } }),
      record('api', '12:00:01', 'stopping', 'waiting', { cause: { kind: 'exit', seq: 1 } }),
      record('api', '12:00:01', 'preparing', 'spawning', { cause: { kind: 'exit', seq: 2 } }),
      record('api', '12:00:02', 'starting', 'running', { cause: { kind: 'probe', seq: 3 } }),
    ];
    const told = why({ unit: unit({ phase: 'running', since: at('12:00:02') }), records, nowMs: Date.parse(at('12:00:09')) });
    expect(told.text).toEqual(["api has been running since 12:00:02 (7.0 s); it was started by the command 'restart' at 12:00:01."]);
    expect(told.causes.map((cause) => cause.seq)).toEqual([1, 3]);
  });

  const request = (name: string | null, clock: string, by: string, detail: JournalRecord['detail'] = {}): JournalRecord =>
    ({ seq: (seq += 1), at: at(clock), unit: name, event: 'request', cause: { kind: 'command', by }, detail: { ...detail, uid: 0, pid: 77 } });
  const ask = (changes: Partial<UnitStatus>, records: readonly JournalRecord[]): readonly string[] => why({ unit: unit(changes), records, nowMs: Date.parse(at('12:00:09')) }).text;

  test('a unit whose pre_start or skip condition still runs: who started it', () => {
    seq = 0;
    const records = [request('api', '12:00:01', 'start'), record('api', '12:00:02', 'stopped', 'preparing', { cause: { kind: 'command', by: 'start', seq: 1 } })];
    expect(ask({ phase: 'starting', since: at('12:00:02') }, records)).toEqual([
      "api has been starting since 12:00:02; it was started by the command 'start -s api' (uid 0, pid 77) at 12:00:02.",
      'What is to run before its command (skip, pre_start) has not ended yet.',
    ]);
  });

  test('another supervisor that finds at rest what was at rest is not its end, one that finds ended what was not is', () => {
    seq = 0;
    const adopted = (clock: string): JournalRecord => record('api', clock, 'stopped', 'stopped', { event: 'adopt', cause: { kind: 'adopt' } });
    const ask = (records: readonly JournalRecord[], lifecycle: UnitStatus['lifecycle'] = 'exited_successfully'): readonly string[] => (
      why({ unit: unit({ phase: 'stopped', lifecycle }), records, nowMs: Date.parse(at('13:00:00')) }).text);
    const begun = record('api', '12:00:01', 'stopped', 'spawning', { cause: { kind: 'boot' } });
    const ended = record('api', '12:00:02', 'clearing', 'stopped', { cause: { kind: 'exit', seq: 1 }, detail: { exit_code: 7 } });
    expect(ask([begun, ended, adopted('12:30:00'), adopted('12:40:00')]))
      .toEqual(['api has completed: it exited with code 7 at 12:00:02, 1.0 s after its start with the supervisor at 12:00:01.']);
    expect(ask([record('api', '12:00:00', 'stopped', 'stopped', { cause: { kind: 'boot' } }), adopted('12:30:00')], 'skipped')).toEqual(['api was skipped at 12:00:00: its skip condition holds.']);
    const stopped = record('api', '12:00:05', 'running', 'stopping', { cause: { kind: 'command', by: 'stop' } });
    const goesOn = record('api', '12:30:00', 'stopped', 'stopping', { event: 'adopt', cause: { kind: 'adopt' } });
    expect(why({ unit: unit({ phase: 'stopping' }), records: [begun, stopped, goesOn], nowMs: Date.parse(at('13:00:00')) }).text).toEqual(["api is being stopped by the command 'stop' at 12:00:05."]);
    const killed = record('api', '12:30:20', 'stopping', 'killing', { cause: { kind: 'timer' } });
    const stopping = unit({ phase: 'stopping', kill_at: at('12:30:30') });
    for (const [records, next] of [[[begun, stopped], 'SIGKILL follows in 5.0 s'], [[begun, stopped, killed], 'SIGKILL was sent, and is sent again in 5.0 s']] as const) {
      expect(why({ unit: stopping, records, nowMs: Date.parse(at('12:30:25')) }).text).toEqual([`api is being stopped by the command 'stop' at 12:00:05; ${next}.`]);
    }
    const again = record('api', '12:00:06', 'stopping', 'stopping', { event: 'start', cause: { kind: 'command', by: 'start' } });
    const after = (wanted: 'up' | 'down', ...orders: readonly JournalRecord[]): readonly string[] => (
      why({ unit: unit({ phase: 'stopping', wanted }), records: [begun, stopped, ...orders], nowMs: Date.parse(at('12:30:25')) }).text);
    const stops = "api is being stopped by the command 'stop' at 12:00:05.";
    expect(after('up', again)).toEqual([stops, "After that api starts again: it was started by the command 'start' at 12:00:06."]);
    const noMore = record('api', '12:00:07', 'stopping', 'stopping', { event: 'stop', cause: { kind: 'command', by: 'stop' } });
    expect(after('down', again, noMore)).toEqual([stops, "After that api stays down: it was stopped by the command 'stop' at 12:00:07."]);
    const cleared = record('api', '12:00:04', 'running', 'clearing', { cause: { kind: 'exit' }, detail: { exit_code: 3 } });
    expect(why({ unit: stopping, records: [begun, cleared], nowMs: Date.parse(at('12:30:25')) }).text).toEqual([
      'api is ending: it exited with code 3 at 12:00:04, 3.0 s after its start with the supervisor at 12:00:01; SIGKILL follows in 5.0 s to what it left running.',
    ]);
    expect(ask([begun, adopted('12:30:00')])[0]).toContain('it ended while nobody watched (its exit status is unknown) at 12:30:00');
  });

  test('a stop of what had completed or was skipped is not its end', () => {
    const stop = (): JournalRecord => record('api', '12:00:07', 'stopped', 'stopped', { event: 'stop', cause: { kind: 'command', by: 'stop' }, detail: { exit_code: 0, wanted: 'down' } });
    seq = 0;
    const completed = [record('api', '12:00:01', 'stopped', 'spawning', { cause: { kind: 'boot' } }), record('api', '12:00:02', 'clearing', 'stopped', { cause: { kind: 'exit', seq: 1 }, detail: { exit_code: 0 } }), stop()];
    expect(ask({ phase: 'stopped', lifecycle: 'exited_successfully', wanted: 'down' }, completed))
      .toEqual(['api has completed: it exited with code 0 at 12:00:02, 1.0 s after its start with the supervisor at 12:00:01.']);
    seq = 0;
    expect(ask({ phase: 'stopped', lifecycle: 'skipped', wanted: 'down' }, [record('api', '12:00:01', 'stopped', 'stopped', { cause: { kind: 'boot' } }), stop()]))
      .toEqual(['api was skipped at 12:00:01: its skip condition holds.']);
  });

  test('a stop before the last start does not explain the end after it', () => {
    seq = 0;
    const records = [
      record('api', '12:00:01', 'running', 'stopping', { cause: { kind: 'command', by: 'stop' } }),
      record('api', '12:00:02', 'stopped', 'spawning', { cause: { kind: 'command', by: 'start' } }),
      record('api', '12:00:03', 'running', 'stopping', { cause: { kind: 'command', by: 'shutdown' } }),
      record('api', '12:00:03', 'stopping', 'stopped', { cause: { kind: 'command', by: 'shutdown' } }),
    ];
    expect(ask({ phase: 'stopped', wanted: 'down' }, records)).toEqual(["api was stopped by the command 'shutdown' at 12:00:03."]);
  });

  test('a start, a stop and the start of a dependency name the request behind them and who asked', () => {
    seq = 0;
    expect(ask({ phase: 'running', since: at('12:00:02') }, [request(null, '12:00:01', 'restart'), record('api', '12:00:01', 'stopping', 'spawning', { cause: { kind: 'command', by: 'restart', seq: 1 } })]))
      .toEqual(["api has been running since 12:00:02 (7.0 s); it was started by the command 'restart' (uid 0, pid 77) at 12:00:01."]);
    seq = 0;
    expect(ask({ phase: 'running', since: at('12:00:02') }, [request('web', '12:00:01', 'start'), record('api', '12:00:01', 'stopped', 'spawning', { cause: { kind: 'dependency', by: 'web', seq: 1 } })]))
      .toEqual(["api has been running since 12:00:02 (7.0 s); it was started at 12:00:01 for web, which needs it, by the command 'start -s web' (uid 0, pid 77)."]);
    seq = 0;
    expect(ask({ phase: 'running', since: at('12:00:02') }, [record('job', '12:00:01', 'clearing', 'stopped', { detail: { exit_code: 0 } }), record('api', '12:00:01', 'waiting', 'spawning', { cause: { kind: 'dependency', by: 'job', seq: 1 } })]))
      .toEqual(["api has been running since 12:00:02 (7.0 s); it was started at 12:00:01, which followed job's end at 12:00:01."]);
    seq = 0;
    expect(ask({ phase: 'stopped', wanted: 'down' }, [request('api', '12:00:01', 'stop'), record('api', '12:00:02', 'stopping', 'stopped', { cause: { kind: 'command', by: 'stop', seq: 1 } })]))
      .toEqual(["api was stopped by the command 'stop -s api' (uid 0, pid 77) at 12:00:02."]);
    seq = 0;
    expect(ask({ phase: 'running', since: at('12:00:02') }, [request(null, '12:00:01', 'reload'), record('api', '12:00:01', 'stopped', 'spawning', { cause: { kind: 'reload', seq: 1 } })]))
      .toEqual(["api has been running since 12:00:02 (7.0 s); it was started by a new configuration at 12:00:01, which the command 'reload' (uid 0, pid 77) brought."]);
    seq = 0;
    expect(ask({ phase: 'running', since: at('12:00:02') }, [request('api', '12:00:01', 'start', { command: 'sleep 9' }), record('api', '12:00:01', 'stopped', 'spawning', { cause: { kind: 'command', by: 'start', seq: 1 } })]))
      .toEqual(["api has been running since 12:00:02 (7.0 s); it was started by the command 'start --name api -- sleep 9' (uid 0, pid 77) at 12:00:01."]);
  });

  test('a suspended cron unit: who stopped it, also where a run was stopped with it', () => {
    for (const stopped of [
      [record('api', '12:00:02', 'waiting', 'waiting', { cause: { kind: 'command', by: 'stop', seq: 1 } })],
      [record('api', '12:00:02', 'running', 'stopping', { cause: { kind: 'command', by: 'stop', seq: 1 } }), record('api', '12:00:02', 'stopping', 'waiting', { cause: { kind: 'command', by: 'stop', seq: 1 } })],
    ]) {
      seq = 0;
      const told = ask({ phase: 'waiting', kind: 'cron', wanted: 'down' }, [request('api', '12:00:01', 'stop'), ...stopped, record('api', '12:00:03', 'stopped', 'waiting', { event: 'adopt', cause: { kind: 'adopt' } })]);
      expect(told).toEqual(["api is suspended: it was stopped by the command 'stop -s api' (uid 0, pid 77) at 12:00:02. sysg start --daemonize -s api runs it now and resumes its schedule.", 'It has not run yet.']);
    }
  });

  test('a unit that was stopped in backoff: its attempt, which was still to come', () => {
    seq = 0;
    expect(ask({ phase: 'stopped', wanted: 'down' }, [
      record('api', '12:00:01', 'clearing', 'backoff', { cause: { kind: 'exit' }, detail: { exit_code: 3, attempt: 5, max_restarts: 5, blame: 'process' } }),
      record('api', '12:00:02', 'backoff', 'stopped', { cause: { kind: 'command', by: 'stop' } }),
    ])).toEqual(["api was stopped by the command 'stop' at 12:00:02.", 'Before that it was in backoff (attempt 5 of 5): it exited with code 3 at 12:00:01.']);
  });

  test.each([
    [{ signal: 'SIGUSR1' }, "it was killed by SIGUSR1, which the command 'signal -s api SIGUSR1' (uid 0, pid 77) sent, at 12:00:03"],
    [{ exit_code: 0 }, "it exited with code 0 after the command 'signal -s api SIGUSR1' (uid 0, pid 77) at 12:00:03"],
  ])('an end that a signal by request led to names that: %o', (exit, told) => {
    seq = 0;
    const text = ask({ phase: 'backoff', restarts: 1 }, [
      record('api', '12:00:00', 'waiting', 'spawning', { cause: { kind: 'boot' } }),
      request('api', '12:00:02', 'signal', { signal: 'SIGUSR1', to_pid: 9 }),
      record('api', '12:00:02', 'running', 'clearing', { cause: { kind: 'command', by: 'signal', seq: 2 } }),
      record('api', '12:00:03', 'clearing', 'backoff', { cause: { kind: 'exit', seq: 3 }, detail: { ...exit, blame: 'process', reason: 'process ended', attempt: 1 } }),
    ]);
    expect(text).toEqual([`api is in backoff (attempt 1) because ${told}, 3.0 s after its start with the supervisor at 12:00:00.`]);
  });

  test('a supervisor that takes a failed unit over does not hide why it failed', () => {
    const text = ask({ phase: 'failed' }, [
      record('api', '12:00:02', 'stopping', 'failed', { cause: { kind: 'exit' }, detail: { blame: 'check', reason: 'not ready within 2 s' } }),
      record('api', '12:00:05', 'stopped', 'failed', { event: 'adopt', cause: { kind: 'adopt' }, detail: { reason: 'not ready within 2 s' } }),
    ]);
    expect(text[0]).toContain('because it was not ready within 2 s at 12:00:02');
  });

  test('a failed unit says that nothing more happens, and how to start it', () => {
    const records = [
      record('api', '12:00:00', 'waiting', 'spawning', { cause: { kind: 'boot' } }),
      record('api', '12:00:02', 'clearing', 'failed', { cause: { kind: 'exit' }, detail: { signal: 'SIGSEGV', attempt: 2, max_restarts: 2 } }),
    ];
    const { text } = why({ unit: unit({ phase: 'failed' }), records, nowMs: Date.parse(at('12:00:09')) });
    expect(text[0]).toBe('api has failed (after 2 of 2 restarts in a row) because it was killed by SIGSEGV at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00.');
    expect(text.at(-1)).toContain('sysg start --daemonize -s api');
    const failed = (detail: Record<string, unknown>): string => ask({ phase: 'failed' }, [record('api', '12:00:02', 'clearing', 'failed', { cause: { kind: 'exit' }, detail: { exit_code: 1, ...detail } })])[0] ?? '';
    expect(failed({ attempt: 1 })).toContain('api has failed (after one restart) because');
    expect(failed({ attempt: 2 })).toContain('api has failed (after 2 restarts in a row) because');
  });

  test('a command that is named reaches the supervisor of the unit from anywhere', () => {
    const input = { records: [], nowMs: 0, command: 'sysg --sys -p shop ' };
    const named = 'sysg --sys -p shop start --daemonize -s api';
    expect(why({ ...input, unit: unit({ phase: 'failed' }) }).text.at(-1)).toContain(named);
    expect(why({ ...input, unit: unit({ phase: 'waiting', kind: 'cron', wanted: 'down' }) }).text[0]).toContain(named);
    const waits = unit({ name: 'web', phase: 'starting', waits_for: [{ unit: 'api', lost: "dependency 'api' failed" }] });
    expect(why({ ...input, unit: waits, units: [unit({ phase: 'failed' })] }).text.filter((line) => line.includes(named))).toHaveLength(2);
  });

  test('a process that another supervisor took over has been running for as long as it has', () => {
    seq = 0;
    const records = [
      record('api', '12:00:00', 'stopped', 'spawning', { cause: { kind: 'boot' } }),
      record('api', '12:00:01', 'starting', 'running', { cause: { kind: 'probe' } }),
      record('api', '12:05:00', 'stopped', 'starting', { event: 'adopt', cause: { kind: 'adopt' } }),
      record('api', '12:05:01', 'starting', 'running', { cause: { kind: 'probe', seq: 3 } }),
    ];
    const { text } = why({ unit: unit({ phase: 'running', since: at('12:05:01'), process: { pid: 7, state: 'running', user: 'me' } }), records, nowMs: Date.parse(at('12:10:01')) });
    expect(text).toEqual(['api has been running as pid 7 since 12:00:01 (10 min 0 s); it was started with the supervisor at 12:00:00, and another supervisor took it over at 12:05:00.']);
  });

  test('a hook that failed since the start is named, one of an earlier start is not', () => {
    seq = 0;
    const failed = (clock: string): JournalRecord => ({ seq: (seq += 1), at: at(clock), unit: 'api', event: 'hook.failed', detail: { hook: 'on_start.success', reason: 'exited with status 3' } });
    const started = [record('api', '12:00:00', 'stopped', 'spawning', { cause: { kind: 'boot' } }), failed('12:00:01')];
    const asked = { unit: unit({ phase: 'running', since: at('12:00:00') }), nowMs: Date.parse(at('12:00:09')) };
    const sentence = 'Its hook on_start.success failed at 12:00:01: the command exited with status 3.';
    expect(why({ ...asked, records: started }).text.at(-1)).toBe(sentence);
    expect(why({ ...asked, records: [...started, record('api', '12:00:05', 'stopped', 'spawning', { cause: { kind: 'command' } })] }).text).not.toContain(sentence);
  });

  test('a unit that is started again, and is not ready yet: also how it ended before', () => {
    seq = 0;
    const records = [
      record('api', '12:00:00', 'stopped', 'spawning', { cause: { kind: 'boot' } }),
      record('api', '12:00:02', 'clearing', 'backoff', { cause: { kind: 'exit', seq: 1 }, detail: { exit_code: 3, attempt: 1, last_stderr: ['no route to db'] } }),
      record('api', '12:00:03', 'backoff', 'spawning', { cause: { kind: 'timer', seq: 2 } }),
    ];
    const { text } = why({ unit: unit({ phase: 'starting', since: at('12:00:03'), ready: false, restarts: 1 }), records, nowMs: Date.parse(at('12:00:04')) });
    expect(text).toEqual([
      'api has been starting since 12:00:03; it was started by the restart policy at 12:00:03.',
      'Its health check has not passed yet.',
      'Before that it exited with code 3 at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00.',
      'Its last words: "no route to db"',
    ]);
  });

  test.each([
    ['stopping', { signal: 'SIGTERM', blame: 'check', reason: 'not ready within 2 s: the check exited with status 1' }, 'it was not ready within 2 s at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00: the check exited with status 1'],
    ['spawning', { blame: 'start', reason: 'program "/none" does not exist' }, 'its start with the supervisor at 12:00:00 was refused: program "/none" does not exist'],
    ['preparing', { exit_code: 1, blame: 'step', reason: 'pre_start exited with status 1' }, 'its pre_start exited with status 1 at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00'],
    ['clearing', { exit_code: 127, blame: 'process', reason: 'process exited with status 127 (command not found)' }, 'it exited with code 127 (command not found) at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00'],
    ['clearing', { signal: 'SIGKILL', blame: 'limit', reason: 'its children use more than 1 MiB' }, 'its children use more than 1 MiB at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00'],
    ['clearing', { signal: 'SIGKILL', blame: 'process', reason: 'process terminated by signal SIGKILL', memory_max: '100M' }, 'the kernel killed it at its memory limit of 100M (limits.cgroup.memory_max) at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00'],
    ['clearing', { exit_code: 137, blame: 'process', reason: 'process exited with status 137', memory_max: '1G' }, 'the kernel killed a process of it at its memory limit of 1G (limits.cgroup.memory_max) at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00'],
    ['clearing', { exit_code: 143, blame: 'process', reason: 'process exited with status 143' }, 'it exited with code 143 (that of a shell whose command was ended by SIGTERM) at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00'],
    ['clearing', { exit_code: 255, blame: 'process', reason: 'process exited with status 255' }, 'it exited with code 255 at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00'],
    ['clearing', { blame: 'unseen', reason: 'interrupted' }, 'it ended while nobody watched (its exit status is unknown) at 12:00:02, 2.0 s after its start with the supervisor at 12:00:00'],
  ])('an end in %s is told by its reason where that says more than the exit', (from, detail, told) => {
    const records = [
      record('api', '12:00:00', 'waiting', 'preparing', { cause: { kind: 'boot' } }),
      record('api', '12:00:00', 'preparing', 'spawning', { cause: { kind: 'boot' } }),
      record('api', '12:00:02', from, 'failed', { cause: { kind: 'exit' }, detail }),
    ].filter(({ to }) => from !== 'preparing' || to !== 'spawning');
    const { text } = why({ unit: unit({ phase: 'failed' }), records, nowMs: Date.parse(at('12:00:09')) });
    expect(text[0]).toBe(`api has failed (at its first attempt) because ${told}.`);
  });

  test('of a SIGKILL that sysg did not send it says so, and where to look', () => {
    const hint = 'sysg did not send that SIGKILL: another program did, or the kernel when memory ran out, which dmesg shows then.';
    const told = (detail: Readonly<Record<string, unknown>>, cause: JournalRecord['cause'] = { kind: 'exit' }): readonly string[] => {
      seq = 0;
      const records = [
        record('api', '12:00:00', 'preparing', 'spawning', { cause: { kind: 'boot' } }),
        record('api', '12:00:01', 'running', 'clearing', { event: 'request', cause: { kind: 'command', by: 'signal' }, detail: { command: 'signal', signal: 'SIGKILL', uid: 0, pid: 7 } }),
        record('api', '12:00:02', 'clearing', 'failed', { cause, detail: { blame: 'process', reason: 'process terminated by signal SIGKILL', ...detail } }),
      ];
      return why({ unit: unit({ phase: 'failed' }), records, nowMs: Date.parse(at('12:00:09')) }).text;
    };
    expect(told({ signal: 'SIGKILL' })).toContain(hint);
    expect(told({ signal: 'SIGKILL' }, { kind: 'command', by: 'signal', seq: 2 })).not.toContain(hint);
    for (const detail of [{ signal: 'SIGTERM' }, { exit_code: 137 }, { signal: 'SIGKILL', memory_max: '1G' }, { signal: 'SIGKILL', blame: 'check' }]) expect(told(detail)).not.toContain(hint);
  });

  test('of the 137 of a shell it says what sends SIGKILL', () => {
    const records = [record('api', '12:00:02', 'clearing', 'failed', { cause: { kind: 'exit' }, detail: { exit_code: 137, blame: 'process', reason: 'process exited with status 137' } })];
    expect(why({ unit: unit({ phase: 'failed' }), records, nowMs: Date.parse(at('12:00:09')) }).text.slice(0, 2)).toEqual([
      'api has failed (at its first attempt) because it exited with code 137 (that of a shell whose command was ended by SIGKILL) at 12:00:02.',
      'The kernel sends SIGKILL when memory runs out, which dmesg shows then.',
    ]);
  });

  test('a cron unit: its next run also by the clocks of its zone, and the last words of a failed run until another has begun', () => {
    seq = 0;
    const next = '2026-01-05T01:00:00Z';
    const records = [
      record('api', '12:00:00', 'preparing', 'spawning', { cause: { kind: 'schedule' } }),
      record('api', '12:00:02', 'clearing', 'waiting', { cause: { kind: 'exit' }, detail: { exit_code: 1, blame: 'process', reason: 'process exited with status 1', last_stderr: ["KeyError: 'x'"] } }),
    ];
    const told = (begun: string, timezone?: string): readonly string[] => {
      const cron = { timezone_label: 'any', ...(timezone !== undefined && { timezone }), last_run: { started_at: at(begun), status: { Failed: 'Process exited with code 1' } } };
      return why({ unit: unit({ phase: 'waiting', kind: 'cron', next_at: next, cron }), records, nowMs: Date.parse(next) - 3_600_000 }).text;
    };
    const words = `Its last words: "KeyError: 'x'"`;
    expect(told('12:00:00', 'Asia/Kathmandu')).toEqual([
      expect.stringMatching(/^api waits for its next run at \S+ \S+, which is 06:45:00 in Asia\/Kathmandu \(in 1 h 0 min\)\.$/),
      'Its last run began at 12:00:00 and failed: Process exited with code 1.', words,
    ]);
    expect(told('12:00:05')[0]).not.toContain('which is');
    expect(told('12:00:05', 'Mars/Olympus')[0]).not.toContain('which is');
    expect(told('12:00:05')).not.toContain(words);
  });

  test('a unit in backoff after a clean end: no attempt, since none is counted', () => {
    seq = 0;
    const records = [record('api', '12:00:02', 'clearing', 'backoff', { cause: { kind: 'exit' }, detail: { exit_code: 0, attempt: 0 } })];
    expect(why({ unit: unit({ phase: 'backoff', next_at: at('12:00:10') }), records, nowMs: Date.parse(at('12:00:05')) }).text).toEqual([
      'api is in backoff (next try in 5.0 s) because it exited with code 0 at 12:00:02.',
    ]);
  });

  test('a cron unit whose last run went on when the next was due: how that run ended, and that one was left out', () => {
    const overlap = { started_at: at('12:00:05'), status: 'OverlapError' as const };
    const cron = { timezone_label: 'UTC', last_run: overlap, recent_runs: [overlap, { started_at: at('12:00:00'), status: 'Success' as const }] };
    expect(why({ unit: unit({ phase: 'waiting', kind: 'cron', next_at: at('12:00:10'), cron }), records: [], nowMs: Date.parse(at('12:00:08')) }).text).toEqual([
      'api waits for its next run at 12:00:10 (in 2.0 s).',
      'Its last run began at 12:00:00 and succeeded.',
      'Since that still went on at 12:00:05, the run that was due then was left out.',
    ]);
  });

  test('a cron unit of which only runs that were left out are recorded has run', () => {
    const overlap = { started_at: at('12:00:05'), status: 'OverlapError' as const };
    const cron = { timezone_label: 'UTC', last_run: overlap, recent_runs: [overlap] };
    expect(why({ unit: unit({ phase: 'waiting', kind: 'cron', next_at: at('12:00:10'), cron }), records: [], nowMs: Date.parse(at('12:00:08')) }).text).toEqual([
      'api waits for its next run at 12:00:10 (in 2.0 s).',
      'Since a run that is no longer recorded still went on at 12:00:05, the run that was due then was left out.',
    ]);
  });

  test('a waiting unit names every unmet condition and what would meet it', () => {
    const { text } = why({
      unit: unit({ phase: 'starting', since: at('12:00:00'), waits_for: [{ unit: 'db', condition: 'healthy' }, { unit: 'cache', lost: "dependency 'cache' failed" }] }), records: [],
      nowMs: Date.parse(at('12:00:09')),
    });
    expect(text).toEqual([
      "api has been waiting since 12:00:00 for db to be healthy, and goes on as soon as that is so; and for cache (dependency 'cache' failed); it goes on when cache comes up again: sysg start --daemonize -s cache.",
    ]);
  });

  test('what a unit waits for is explained too, along the whole chain, each unit once', () => {
    seq = 0;
    const records = [
      record('db', '12:00:00', 'preparing', 'spawning', { cause: { kind: 'boot' } }),
      record('db', '12:00:02', 'stopping', 'backoff', { cause: { kind: 'exit', seq: 1 }, detail: { blame: 'check', reason: 'not ready within 2 s: the check exited with status 1', attempt: 2, max_restarts: 5 } }),
    ];
    const units = [
      unit({ name: 'web', phase: 'starting', since: at('12:00:00'), waits_for: [{ unit: 'api', condition: 'started' }] }),
      unit({ name: 'api', phase: 'starting', since: at('12:00:00'), waits_for: [{ unit: 'db', condition: 'healthy' }] }),
      unit({ name: 'db', phase: 'backoff', next_at: at('12:00:12') }),
    ];
    const { text, causes } = why({ unit: units[0] ?? unit({}), units, records, nowMs: Date.parse(at('12:00:09')) });
    expect(text).toEqual([
      'web has been waiting since 12:00:00 for api to be started, and goes on as soon as that is so.',
      'api has been waiting since 12:00:00 for db to be healthy, and goes on as soon as that is so.',
      'db is in backoff (attempt 2 of 5, next try in 3.0 s) because it was not ready within 2 s at 12:00:02, '
        + '2.0 s after its start with the supervisor at 12:00:00: the check exited with status 1.',
    ]);
    expect(causes.map((cause) => cause.seq)).toEqual([1, 2]);
  });

  test('a unit that was held back at take-over is not merely stopped', () => {
    const records = [record('api', '12:00:00', 'stopped', 'stopped', { event: 'adopt', cause: { kind: 'adopt' } })];
    const { text } = why({ unit: unit({ phase: 'stopped', wanted: 'down', reason: 'pid 4711 may be this service' }), records, nowMs: Date.parse(at('12:00:09')) });
    expect(text).toEqual(['api is not started: pid 4711 may be this service.']);
  });

  test('without a supervisor the journal has the last word', () => {
    const { wanted: _, ...resting } = unit({ phase: 'stopped' });
    const tell = (...records: readonly JournalRecord[]): string => why({ unit: resting, records, nowMs: Date.parse(at('12:01:05')) }).text.join(' ');
    expect(tell()).toBe('api does not run, and the journal has no record of it.');
    expect(tell(record('api', '12:00:00', 'starting', 'running'))).toBe('api was running (since 12:00:00) when its supervisor ended, and has no process any more.');
    expect(tell(record('api', '12:00:00', 'clearing', 'backoff', { detail: { exit_code: 3, attempt: 2, max_restarts: 5 } })))
      .toBe('api was in backoff (attempt 2 of 5) when its supervisor ended, because it exited with code 3 at 12:00:00.');
    const rested = why({ unit: { ...resting, kind: 'cron' }, records: [record('api', '12:00:00', 'running', 'waiting')], nowMs: 0 }).text;
    expect(rested).toEqual(['api has no run under way, and its schedule rests as long as no supervisor runs.', 'It has not run yet.']);
  });

  test('running, stopped by hand, completed, suspended', () => {
    const begun = record('api', '12:00:00', 'waiting', 'spawning', { cause: { kind: 'command', by: 'restart' } });
    const tell = (changes: Partial<UnitStatus>, records: readonly JournalRecord[] = [begun]): string => why({ unit: unit(changes), records, nowMs: Date.parse(at('12:01:05')) }).text.join(' ');
    expect(tell({ phase: 'running', since: at('12:00:00'), process: { pid: 7, state: 'running' } }))
      .toBe("api has been running as pid 7 since 12:00:00 (1 min 5 s); it was started by the command 'restart' at 12:00:00.");
    expect(tell({ phase: 'stopped', lifecycle: 'stopped', wanted: 'down' }, [record('api', '12:00:05', 'running', 'stopping', { cause: { kind: 'command', by: 'stop' } }), record('api', '12:00:06', 'stopping', 'stopped')]))
      .toBe("api was stopped by the command 'stop' at 12:00:05.");
    expect(tell({ phase: 'stopped', lifecycle: 'exited_successfully' }, [begun, record('api', '12:00:01', 'clearing', 'stopped', { detail: { exit_code: 0 } })]))
      .toBe("api has completed: it exited with code 0 at 12:00:01, 1.0 s after its start by the command 'restart' at 12:00:00.");
    expect(tell({ phase: 'waiting', kind: 'cron', wanted: 'down' }, [])).toContain('is suspended');
  });

  test('a unit that is being replaced, was replaced, or was to be replaced in vain', () => {
    const begun = record('api', '12:00:00', 'waiting', 'spawning', { cause: { kind: 'boot' } });
    const rollout = (clock: string, detail: Record<string, unknown>): JournalRecord => ({ seq: (seq += 1), at: at(clock), unit: 'api', event: 'rollout', detail });
    const running = unit({ phase: 'running', since: at('12:00:00') });
    const tell = (changes: Partial<UnitStatus>, records: readonly JournalRecord[]): readonly string[] =>
      why({ unit: { ...running, ...changes }, records: [begun, ...records], nowMs: Date.parse(at('12:01:05')) }).text;
    expect(tell({ rollout: { step: 'checking', instance: 'candidate', phase: 'running', generation: 2, pid: 9 } }, [])[1])
      .toBe("It is being replaced: a candidate (pid 9) is at the step 'checking', and takes its place when it has passed.");
    expect(tell({}, [record('api', '12:00:30', 'running', 'running', { event: 'move' }), rollout('12:00:31', { step: 'done', result: 'replaced' })]))
      .toEqual([expect.stringContaining('; it took the place of an earlier process at 12:00:30.')]);
    expect(tell({}, [rollout('12:00:31', { step: 'done', result: 'kept', reason: 'process exited with status 3' })])[1])
      .toBe('An attempt to replace it failed at 12:00:31, and it goes on as before: process exited with status 3.');
    expect(tell({}, [rollout('12:00:31', { step: 'done', result: 'kept', reason: 'superseded by stop' }), record('api', '12:00:32', 'stopped', 'spawning', { cause: { kind: 'command', by: 'restart' } })])).toHaveLength(1);
    expect(tell({ rollout: { step: 'switching-back', instance: 'candidate', phase: 'running', generation: 2 } }, [])[1]).toBe('Its traffic is being switched back to the slot that it is in.');
    expect(tell({}, [rollout('12:00:31', { step: 'done', result: 'kept' })])[1]).toBe('Its traffic was switched back at 12:00:31, which an earlier replacement had left to do.');
  });
});
