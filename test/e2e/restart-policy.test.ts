import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeHome, soon } from './rig.ts';

test('an exit code that is final ends it at once, one that is a success is none, and 126 and 127 are named', async () => {
  const home = makeHome(`
version: "1"
services:
  # With a check a start waits for its end, however slow the machine is.
  final: {command: "exit 42", restart_policy: always, backoff: 50ms, no_restart_exit_codes: [42], health_check: {log: "^never$"}}
  fine: {command: "exit 3", restart_policy: on-failure, backoff: 50ms, success_exit_codes: [0, 3]}
  missing: {command: "no-such-program && true", restart_policy: never, health_check: {log: "^never$"}}
  unusable: {command: "cd / && ./etc", restart_policy: never, health_check: {log: "^never$"}}
`);
  const { code, stderr } = await home.sysg('start', '--daemonize', '-c', home.config);
  expect(code).toBe(1);
  expect(stderr).toContain('final: process exited with status 42; see sysg why final\n');
  expect(stderr).toContain('missing: process exited with status 127 (command not found); see sysg why missing\n');
  expect(stderr).toContain('unusable: process exited with status 126 (command cannot be executed); see sysg why unusable\n');
  expect(stderr).not.toContain('fine');
  expect(await home.unit('final')).toMatchObject({ phase: 'failed', restarts: 0, generation: 1 });
  expect(await home.unit('fine')).toMatchObject({ phase: 'stopped', lifecycle: 'exited_successfully', restarts: 0 });
});

test('always restarts a clean exit as often as there is one: max_restarts counts failures only', async () => {
  const home = makeHome(`
version: "1"
services:
  web: {command: "exit 0", restart_policy: always, backoff: 50ms, max_restarts: 1}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const often = await home.until('web', ({ restarts }) => (restarts ?? 0) > 3, 'was restarted often');
  expect(often.generation).toBe((often.restarts ?? 0) + 1);
  expect(often.phase).not.toBe('failed');
});

test('with a window only the failures inside it count', async () => {
  // Slow: each attempt lasts longer than the window. Fast: three fit in.
  const home = makeHome(`
version: "1"
services:
  slow: {command: "sleep 0.4; exit 1", restart_policy: on-failure, backoff: 50ms, max_restarts: 1, restart_window: 300ms}
  fast: {command: "exit 1", restart_policy: on-failure, backoff: 50ms, max_restarts: 2, restart_window: 30s}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  expect(await home.until('fast', ({ phase }) => phase === 'failed', 'has failed')).toMatchObject({ restarts: 2, generation: 3 });
  expect((await home.until('slow', ({ restarts }) => (restarts ?? 0) > 3, 'was restarted often')).phase).not.toBe('failed');
});

test('having run for stable_after forgives what was before, readiness included', async () => {
  // Three failures, then it runs until it is told otherwise.
  const home = makeHome(`
version: "1"
services:
  web:
    command: "echo x >> runs; test $(wc -l < runs) -gt 3 || exit 1; until test -e fail; do sleep 0.02; done; rm fail; exit 1"
    restart_policy: on-failure
    max_restarts: 3
    stable_after: 400ms
    backoff: {initial: 50ms, max: 10m, factor: 5, jitter: 0}
    health_check: {command: "true"}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  await home.until('web', ({ phase, generation }) => phase === 'running' && generation === 4, 'runs');
  const since = Date.parse((await home.unit('web')).since ?? '');
  await soon('it is stable', () => Date.now() - since > 600);
  writeFileSync(join(home.dir, 'fail'), '');
  await soon('it failed', () => !existsSync(join(home.dir, 'fail')));
  await home.until('web', ({ phase, generation }) => phase === 'backoff' || (generation ?? 0) > 4, 'is restarted, not failed');
  await soon('it runs anew', () => readFileSync(join(home.dir, 'runs'), 'utf8').split('\n').length === 6);
  expect(await home.unit('web')).toMatchObject({ restarts: 4 });
});

test('a backoff grows to its cap, from which the jitter takes away at most its share', async () => {
  const home = makeHome(`
version: "1"
services:
${Array.from({ length: 8 }, (_, index) => `  u${index}: {command: "exit 1", restart_policy: on-failure, backoff: {initial: 100ms, max: 20s, factor: 1000, jitter: 0.5}}`).join('\n')}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const units = await soon('all wait for the second time', async () => {
    const found = (await home.status()).units;
    return found.every(({ phase, restarts, next_at: next }) => phase === 'backoff' && restarts === 1 && next !== undefined) ? found : null;
  });
  const waits = units.map(({ since, next_at: next }) => Date.parse(next ?? '') - Date.parse(since ?? ''));
  for (const wait of waits) {
    expect(wait).toBeGreaterThanOrEqual(10_000);
    expect(wait).toBeLessThanOrEqual(20_000);
  }
});

test('the lists of exit codes count for pre_start too, and its exit code is the last exit', async () => {
  const home = makeHome(`
version: "1"
services:
  final: {command: "exec $PROGRAMS/forever", restart_policy: always, no_restart_exit_codes: [78], deployment: {pre_start: "echo >> tries; exit 78"}}
  well: {command: "exec $PROGRAMS/forever", success_exit_codes: [0, 5], deployment: {pre_start: "exit 5"}}
`);
  const { code, stderr } = await home.sysg('start', '--daemonize', '-c', home.config);
  expect([code, stderr.includes('final: pre_start exited with status 78')]).toEqual([1, true]);
  expect(await home.unit('well')).toMatchObject({ phase: 'running' });
  const { hash, ...final } = await home.unit('final');
  expect(final).toMatchObject({ phase: 'failed', last_exit: { exit_code: 78 }, restarts: 0 });
  expect(readFileSync(join(home.state, 'state.xml'), 'utf8')).toContain(`<name>${hash}</name><state><status>exited_with_error</status><exit_code>78</exit_code></state>`);
  expect(readFileSync(join(home.dir, 'tries'), 'utf8')).toBe('\n');
});
