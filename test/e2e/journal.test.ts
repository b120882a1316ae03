import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { JournalRecord, StatusSnapshot } from '../../src/wire/payloads.ts';
import { collect, makeHome, soon, type Home } from './rig.ts';

type Line = { readonly Snapshot: { readonly seq: number; readonly status: StatusSnapshot } } | { readonly Event: JournalRecord } | { readonly Gap: { from: number; to: number } };

/** The lines of a watch, as they come. */
function watch(home: Home, since: number | null, units: readonly string[] | null = null): { lines: Line[]; events(): number[]; close(): void } {
  const lines: Line[] = [];
  let text = '';
  const socket = connect(join(home.state, 'control.sock'));
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const whole = text.split('\n');
    text = whole.pop() ?? '';
    for (const line of whole) lines.push(JSON.parse(line) as Line);
  });
  socket.on('error', () => undefined);
  socket.write(`${JSON.stringify({ Watch: { since, units } })}\n`);
  onTestFinished(() => void socket.destroy());
  return { lines, events: () => lines.flatMap((line) => ('Event' in line ? [line.Event.seq] : [])), close: () => void socket.destroy() };
}

const history = async (home: Home, unit: string | null = null): Promise<JournalRecord[]> => {
  const answer = JSON.parse(await home.exchange(JSON.stringify({ History: { unit, limit: 1000, since: null } }))) as { History: JournalRecord[] };
  return answer.History;
};

describe('the journal on the built program', () => {
  test('a crash is recorded with its exit, the attempt, the next try and the last words', async () => {
    const home = makeHome(`
version: "1"
services:
  a: {command: "echo sad end >&2; exit 3", restart_policy: on-failure, backoff: 1h, max_restarts: 5}
  b: {command: exit 0, deployment: {pre_start: "echo no table >&2; exit 9"}, restart_policy: on-failure, backoff: 1ms, max_restarts: 1}
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    const record = await soon('the backoff is told', async () => (await history(home, 'a')).find(({ to }) => to === 'backoff') ?? null);
    expect(record).toMatchObject({ unit: 'a', generation: 1, from: 'clearing', cause: { kind: 'exit' }, detail: { exit_code: 3, attempt: 1, max_restarts: 5, last_stderr: ['sad end'] } });
    const waitMs = Date.parse(String(record.detail?.['next_at'])) - Date.parse(record.at);
    expect(waitMs).toBeGreaterThan(3_599_000);
    expect(waitMs).toBeLessThanOrEqual(3_600_000);
    const given = await soon('the preparation is given up', async () => (await history(home, 'b')).find(({ to }) => to === 'failed') ?? null);
    // Those of this attempt, and not of the one before.
    expect(given.detail).toMatchObject({ attempt: 1, last_stderr: ['no table'] });
  });

  test('every request that changes something is one record with who asked, and why names it', async () => {
    const home = makeHome('version: "1"\nservices:\n'
      + '  c: {command: "exec $PROGRAMS/forever"}\n  a: {command: "exec $PROGRAMS/forever", depends_on: [c]}\n'
      + '  w: {command: "exec $PROGRAMS/forever", restart_policy: always, backoff: 1h}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    for (const args of [['stop', '-s', 'a'], ['stop', '-s', 'c'], ['start', '--daemonize', '-s', 'a'], ['restart', '-s', 'c'], ['signal', '-s', 'w', 'USR1'], ['signal', '-s', 'none', 'HUP'], ['status']]) {
      await home.sysg(...args);
    }
    await home.until('w', ({ phase }) => phase === 'backoff', 'is in backoff');
    process.kill(home.supervisorPid(), 'SIGHUP');
    const records = await soon('the reload is recorded', async () => {
      const all = await history(home);
      return all.some(({ cause }) => cause?.kind === 'signal') ? all : null;
    });
    const requests = records.filter(({ event }) => event === 'request');
    expect(requests.map(({ unit, cause, detail }) => [unit, cause?.by, detail?.['signal'] ?? detail?.['command']])).toEqual([
      [null, 'start', undefined], ['a', 'stop', undefined], ['c', 'stop', undefined], ['a', 'start', undefined], ['c', 'restart', undefined], ['w', 'signal', 'SIGUSR1'],
      [null, 'SIGHUP', 'reload'],
    ]);
    for (const { detail, cause } of requests) if (cause?.kind === 'command') expect(detail).toMatchObject({ uid: process.getuid?.() });
    for (const { detail } of requests.slice(1, -1)) expect(detail?.['pid']).toEqual(expect.any(Number));
    // An ordered restart has the command as its cause from the first record to the last.
    const restart = requests.find(({ cause }) => cause?.by === 'restart');
    const restarted = records.filter(({ unit, seq, to }) => unit === 'c' && to !== undefined && seq > (restart?.seq ?? 0)).slice(0, 3);
    expect(restarted.map(({ to }) => to)).toEqual(['stopping', 'spawning', 'starting']);
    for (const { cause } of restarted) expect(cause).toEqual({ kind: 'command', seq: restart?.seq, by: 'restart' });
    expect((await home.sysg('why', 'w')).stdout).toMatch(/because it was killed by SIGUSR1, which the command 'signal -s w SIGUSR1' \(uid \d+, pid \d+\) sent, at /);
    expect((await home.sysg('why', 'c')).stdout).toMatch(/it was started by the command 'restart -s c' \(uid \d+, pid \d+\) at /);
    // No request is the newest change of a unit.
    for (const { name, last_event: last } of (await home.status()).units) expect(records.find(({ seq }) => seq === last)).toMatchObject({ unit: name, to: expect.any(String) });
    expect((await home.sysg('events', '--json', '-s', 'w')).stdout).toContain('"event":"request","cause":{"kind":"command","by":"signal"},"detail":{"signal":"SIGUSR1"');
    expect((await home.sysg('doctor')).stdout).toMatch(/all \d+ checks passed/);
    // Nobody waits for the answer to a signal: that it was refused is read in the journal.
    writeFileSync(home.config, 'services: 5\n');
    process.kill(home.supervisorPid(), 'SIGHUP');
    const refused = await soon('the refusal is recorded', async () => (await history(home)).find(({ event }) => event === 'reload.refused') ?? null);
    expect(refused).toMatchObject({ unit: null, cause: { kind: 'signal', by: 'SIGHUP' }, detail: { reason: expect.stringContaining(home.config) } });
  });

  test('the chart of a unit is marked with where it is and by which ways it came, in every format', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "exit 3", restart_policy: on-failure, backoff: 1h, max_restarts: 5}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    await soon('the backoff is recorded', async () => (await history(home, 'a')).find(({ to }) => to === 'backoff') ?? null);
    expect((await home.sysg('chart', 'a')).stdout).toContain('● backoff');
    const config = JSON.parse((await home.sysg('chart', 'a', '--format', 'json')).stdout) as { states: { idle: { states: Record<string, { tags?: string[] }> } }; meta: { unit: unknown } };
    expect(config.states.idle.states['backoff']?.tags).toEqual(['present']);
    expect(config.meta.unit).toMatchObject({ name: 'a', phase: 'backoff', present: ['idle.backoff'] });
    expect((await home.sysg('chart', 'a', '--format', 'scxml')).stdout).toContain('<data id="unit" expr="{&quot;name&quot;:&quot;a&quot;');
  });

  test('a unit of which the journal knows nothing is named on stderr', async () => {
    const home = makeHome();
    const { code, stdout, stderr } = await home.sysg('events', '-s', 'nobody');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain("sysg: warning: the journal has no record of 'nobody'\n");
  });

  test('a start gives the reason of a unit that came up and fell before the others were through', async () => {
    const home = makeHome('version: "1"\nservices:\n  falls: {command: "sleep 0.3; kill -9 $$", restart_policy: never}\n  slow: {command: sleep 60, health_check: {command: "sleep 5; false", timeout: 4s}, restart_policy: never}\n');
    const { code, stderr } = await home.sysg('start', '--daemonize', '-c', home.config);
    expect(code).toBe(1);
    expect(stderr).toContain('  falls: process terminated by signal SIGKILL; see sysg why falls\n');
  });

  test('a watch begins with a snapshot; watched again from a number nothing is lost or doubled', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n  b: {command: "$PROGRAMS/forever"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    const first = watch(home, null);
    await soon('the snapshot is there', () => first.lines.length > 0);
    const [head] = first.lines;
    expect(head !== undefined && 'Snapshot' in head ? head.Snapshot.status.units.map(({ name }) => name).sort() : []).toEqual(['a', 'b']);
    await home.sysg('restart', '-s', 'a');
    await soon('the restart was watched', () => first.lines.some((line) => 'Event' in line && line.Event.to === 'running'));
    first.close();
    const seen = first.events();
    const last = seen.at(-1) ?? 0;
    await home.sysg('restart', '-s', 'b');
    const second = watch(home, last);
    await home.sysg('stop', '-s', 'a');
    await soon('the stop was watched', () => second.lines.some((line) => 'Event' in line && line.Event.unit === 'a' && line.Event.to === 'stopped'));
    const all = [...seen, ...second.events()];
    expect(all).toEqual(Array.from({ length: all.length }, (_, index) => (seen[0] ?? 0) + index));
    const third = watch(home, 0, ['b']);
    await soon('what is kept comes first', () => third.events().length > 0);
    expect(third.lines.every((line) => !('Event' in line) || line.Event.unit === 'b')).toBe(true);
  });

  test('events -f goes on through a kill -9 of the supervisor and a hand-over, with no record lost or doubled, and ends with an ordered end', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    const following = home.open('events', '-f', '--json');
    const ended = collect(following);
    let seen = 0;
    following.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString().split('\n').length - 1));
    const restarted = async (): Promise<void> => {
      expect(await home.sysg('restart', '-s', 'a')).toMatchObject({ code: 0 });
      const { length } = await history(home);
      await soon('the follower has shown all of it', () => seen >= length);
    };
    await restarted();
    const killed = home.supervisorPid();
    process.kill(killed, 'SIGKILL');
    await soon('the guardian has brought a supervisor back', () => home.status().then(() => home.supervisorPid() !== killed).catch(() => false));
    await restarted();
    expect(await home.sysg('restart', '--supervisor')).toMatchObject({ code: 0 });
    await restarted();
    await home.sysg('stop');
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    const numbers = stdout.trim().split('\n').map((line) => (JSON.parse(line) as JournalRecord).seq);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  test('numbers go on over a kill -9 of the supervisor', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    const before = (await history(home)).at(-1)?.seq ?? 0;
    const supervisor = home.supervisorPid();
    process.kill(supervisor, 'SIGKILL');
    await soon('another supervisor serves', async () => home.supervisorPid() !== supervisor && (await home.status().catch(() => null)) !== null);
    const adopted = await soon('the adoption is told', async () => (await history(home)).find(({ cause }) => cause?.kind === 'adopt') ?? null);
    expect(adopted).toMatchObject({ unit: 'a', to: 'running' });
    expect(adopted.seq).toBeGreaterThan(before);
  });
});
