import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JournalRecord, SpawnedProcessNode } from '../../src/wire/payloads.ts';
import { commandOf, isAlive, killWhileIdle, makeHome, soon, type Home } from './rig.ts';

const dynamic = (more = '', policy = 'cascade'): string => `spawn: {mode: dynamic, limits: {depth: 5, termination_policy: ${policy}}}${more}`;
const config = (body: string): string => `version: "1"\nservices:\n${body}`;
const orch = config(`  orch: {command: "$PROGRAMS/forever", env: {vars: {COLOUR: blue}}, ${dynamic()}}\n`);

async function started(yaml = orch): Promise<Home> {
  const home = makeHome(yaml);
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  return home;
}

async function leader(home: Home, unit = 'orch'): Promise<number> {
  return (await home.until(unit, ({ process: found }) => found?.state === 'running', 'runs')).process?.pid ?? 0;
}

async function child(home: Home, parent: number, command: readonly string[], ...options: readonly string[]): Promise<number> {
  const ended = await home.sysg('start', '--parent-pid', String(parent), ...options, '--', ...command);
  expect(ended, ended.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\n$/) });
  return Number(ended.stdout);
}

const spawnLine = (parent: number, command: readonly string[], more = {}): string => JSON.stringify({ Spawn: { parent_pid: parent, name: 'job', command, ttl: null, log_level: null, ...more } });
const errorOf = (answer: string): string | undefined => (JSON.parse(answer) as { Error?: string }).Error;
const tree = async (home: Home, unit = 'orch') => shape((await home.unit(unit)).spawned_children ?? []);
const records = async (home: Home): Promise<readonly JournalRecord[]> => (JSON.parse(await home.exchange('{"History":{"unit":null,"limit":1000,"since":null}}')) as { History: JournalRecord[] }).History;
const environment = (pid: number) => new Map(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').map((entry): [string, string] => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
const gone = (...pids: readonly number[]) => soon(`${pids.join(', ')} are gone`, () => pids.every((pid) => !isAlive(pid)));

/** What a child wrote so far. */
function written(home: Home, name: string): string {
  const path = join(home.state, 'logs/spawn', name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function shape(nodes: readonly SpawnedProcessNode[]): unknown[] {
  return nodes.filter(({ child: one }) => one.kind === undefined).flatMap(({ child: one, children = [] }) => [one.pid, ...(shape(children).length === 0 ? [] : [shape(children)])]);
}

/** Another supervisor serves, after the one that was killed. */
async function killSupervisor(home: Home): Promise<void> {
  const before = home.supervisorPid();
  await killWhileIdle(before);
  await soon('another supervisor serves', async () => {
    const pid = await Promise.resolve().then(() => home.supervisorPid()).catch(() => 0);
    return pid !== before && pid !== 0 && (await home.status().catch(() => null)) !== null;
  });
}

describe('a child that is asked for on the command line', () => {
  test('runs in its service\'s context, in a session of its own, knows its place and writes to a file of its own', async () => {
    const home = await started();
    const parent = await leader(home);
    const script = 'echo out $SPAWN_DEPTH $COLOUR $RUST_LOG; echo err > /dev/stderr; exec sleep 1000';
    const pid = await child(home, parent, ['sh', '-c', script], '--name', 'My Job', '--ttl', '900', '--log-level', 'debug');
    await soon('it became sleep', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'));
    const its = environment(pid);
    expect([its.get('SPAWN_PARENT_PID'), its.get('SPAWN_DEPTH'), its.get('COLOUR'), its.get('RUST_LOG')]).toEqual([String(parent), '1', 'blue', 'debug']);
    const [service = '', own = ''] = (its.get('SYSG_INSTANCE') ?? '').split(',');
    expect(service).toBe(environment(parent).get('SYSG_INSTANCE'));
    expect(own).not.toBe('');
    const [, , group, session] = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ').map(Number);
    expect([group, session]).toEqual([pid, pid]);
    const logs = join(home.state, 'logs/spawn');
    await soon('its output is in its files', () => (['stdout', 'stderr'].every((stream) => written(home, `orch_myjob_${pid}_${stream}.log`).endsWith('\n'))));
    expect(readdirSync(logs).filter((name) => name.endsWith('.log'))).toHaveLength(2);
    expect(written(home, `orch_myjob_${pid}_stdout.log`)).toBe('out 1 blue debug\n');
    expect(written(home, `orch_myjob_${pid}_stderr.log`)).toBe('err\n');
    expect([statSync(logs).mode & 0o777, statSync(join(logs, `orch_myjob_${pid}_stdout.log`)).mode & 0o777]).toEqual([0o700, 0o640]);
    const node = (await home.unit('orch')).spawned_children?.find(({ child: one }) => one.pid === pid);
    expect(node?.child).toMatchObject({ name: 'my-job', parent_pid: parent, command: 'sleep 1000', ttl: { secs: 900, nanos: 0 }, depth: 1, rss_bytes: expect.any(Number), user: expect.any(String) });
    expect(node?.child.kind).toBeUndefined();
    await soon('pid.xml tells of it', () => readFileSync(join(home.state, 'pid.xml'), 'utf8').includes(`<parent_map><child>${pid}</child><parent>${parent}</parent></parent_map>`));
    expect(readFileSync(join(home.state, 'logs/supervisor.log'), 'utf8')).toContain(`INFO systemg::supervisor: Spawned child 'my-job' (PID: ${pid}) from parent ${parent}`);
    expect((await home.sysg('status')).stdout).toMatch(/└─ my-job +spwn +running/);
    expect((await home.sysg('inspect', '-s', 'orch')).stdout).toMatch(new RegExp(`└─ my-job \\[PID: ${pid}, Up: [^,]+, depth: 1, ttl: 15m`));
  });

  test('by a process of the service itself, without --parent-pid, is that process\'s', async () => {
    const home = await started(config(`  orch: {command: "sysg() { ${join(import.meta.dirname, '../../dist/sysg')} \\"$@\\"; }; sysg start --child --parent-pid $$ --name one -- sleep 1000; sysg spawn --name 'Two B' -- sleep 1001; wait; exec sleep 1002", ${dynamic()}}\n`));
    await home.until('orch', ({ spawned_children: nodes = [] }) => ['one', 'Two B'].every((name) => nodes.some(({ child: one }) => one.name === name && one.kind === undefined)), 'has both');
    await soon('both pids are printed', () => /^\d+\n\d+\n$/.test(home.log('orch')));
    await soon('the warning is logged', () => home.log('orch', 'stderr').includes('Warning: `sysg spawn` is deprecated.'));
  });

  test('that cannot be is refused in words, with exit code 1', async () => {
    const home = await started();
    const parent = await leader(home);
    const refused = await home.sysg('start', '--parent-pid', String(parent), '--', '/no/such/program');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('Failed to communicate with supervisor: supervisor reported error: No such file or directory (os error 2): program "/no/such/program" does not exist');
    await home.sysg('stop');
    expect((await home.sysg('start', '--parent-pid', '1', '--', 'sleep', '1')).stderr).toContain('Failed to communicate with supervisor: control socket not available');
  });

  test('is echoed by a supervisor in the foreground under the names of service and child', async () => {
    const home = makeHome(orch);
    const supervisor = home.open('start', '-c', home.config);
    let told = '';
    supervisor.stdout?.setEncoding('utf8').on('data', (text: string) => (told += text));
    await soon('it serves', () => home.status().catch(() => null));
    await child(home, await leader(home), ['sh', '-c', 'echo hello'], '--name', 'greeter');
    await soon('it is echoed', () => told.includes('orch:greeter | hello\n'));
  });
});

describe('who may ask for what', () => {
  const two = config(`  orch: {command: "$PROGRAMS/forever", ${dynamic()}}\n  other: {command: "$PROGRAMS/forever", ${dynamic()}}\n  plain: {command: "$PROGRAMS/forever"}\n`);

  test('a parent outside of every dynamic tree is refused, and so is rubbish; the supervisor goes on', async () => {
    const home = await started(two);
    const parent = await leader(home);
    const authorization = /^Spawn authorization failed: No spawn tree found for process \(/;
    for (const forged of [1, process.pid, home.supervisorPid(), await leader(home, 'plain'), 4_000_000_000]) {
      expect(errorOf(await home.exchange(spawnLine(forged, ['sleep', '1'])))).toMatch(authorization);
    }
    expect(errorOf(await home.exchange(spawnLine(parent, [])))).toContain('command: expected a program and its arguments, got an empty list');
    expect(errorOf(await home.exchange(spawnLine(parent, [''])))).toContain('got an empty one');
    expect(errorOf(await home.exchange(spawnLine(parent, ['sleep'], { ttl: 1e15 })))).toContain('ttl: expected at most');
    expect(errorOf(await home.exchange(spawnLine(parent, ['true', 'x'.repeat(300_000)])))).toContain('argument 1 has 300000 bytes');
    // Each word is short enough; all together the kernel does not take them, or it does.
    expect(errorOf(await home.exchange(spawnLine(parent, ['/bin/true', ...Array.from({ length: 8 }, () => 'y'.repeat(120_000))]))) ?? '').not.toContain('internal');
    expect(await leader(home)).toBe(parent);
    expect((await home.sysg('events')).stdout).not.toContain('actor.failed');
  });

  test('a client inside a tree may name a process of that tree only', async () => {
    const home = await started(two);
    const [parent, other] = [await leader(home), await leader(home, 'other')];
    const bin = join(import.meta.dirname, '../../dist/sysg');
    const script = `echo mine; ${bin} start --parent-pid ${parent} --name mine -- sleep 1000; echo theirs; ${bin} start --parent-pid ${other} --name theirs -- sleep 1000; echo done; exec sleep 1000`;
    const pid = await child(home, parent, ['sh', '-c', `{ ${script}; } 2>&1`], '--name', 'asks');
    const text = await soon('it has asked', () => {
      const said = written(home, `orch_asks_${pid}_stdout.log`);
      return said.includes('done') ? said : null;
    });
    expect(text).toMatch(/^mine\n(?:sysg: warning: .*\n)?\d+\ntheirs\n/);
    expect(text).toContain(`No spawn tree found for process (process ${other} is not in the tree of service 'orch', as the client is)`);
    expect(await tree(home, 'other')).toEqual([]);
  });
});

describe('kill -9 of the supervisor', () => {
  test('leaves children under the same pids, shown as before, with no line lost, ended at their time and with their service', async () => {
    const home = await started();
    const parent = await leader(home);
    const writer = await child(home, parent, ['sh', '-c', 'i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo line $i; sleep 0.002; done; exec sleep 1000'], '--name', 'writer');
    const nested = await child(home, writer, ['sleep', '1000'], '--name', 'nested');
    const mortal = await child(home, parent, ['sleep', '1000'], '--name', 'mortal', '--ttl', '6');
    const before = await tree(home);
    await killSupervisor(home);
    expect(await leader(home)).toBe(parent);
    expect([writer, nested].every(isAlive)).toBe(true);
    if (isAlive(mortal)) expect(await tree(home)).toEqual(before);
    await soon('every line is there', () => written(home, `orch_writer_${writer}_stdout.log`).includes('line 600\n'));
    expect(written(home, `orch_writer_${writer}_stdout.log`)).toBe(Array.from({ length: 600 }, (_, index) => `line ${index + 1}\n`).join(''));
    await gone(mortal);
    await soon('its end is told', async () => (await records(home)).some(({ event, detail, cause }) => event === 'child.ended' && detail?.['child'] === 'mortal' && cause?.kind === 'timer'));
    expect(await tree(home)).toEqual([writer, [nested]]);
    expect(await home.sysg('stop', '-s', 'orch')).toMatchObject({ code: 0 });
    await gone(writer, nested);
    await soon('the ledger has forgotten them', async () => (await records(home)).filter(({ event }) => event === 'child.ended').length === 3);
    await killSupervisor(home);
    expect((await home.unit('orch')).spawned_children).toBeUndefined();
  });

  test('ends those whose service ended meanwhile', async () => {
    const home = await started();
    const parent = await leader(home);
    const pid = await child(home, parent, ['sleep', '1000']);
    const before = home.supervisorPid();
    process.kill(before, 'SIGSTOP');
    process.kill(parent, 'SIGKILL');
    process.kill(before, 'SIGKILL');
    await gone(pid);
  });
});

describe('the end of a child', () => {
  test.each([
    ['cascade ends its subtree, what it started itself too', 'cascade'], ['orphan leaves them, without a parent', 'orphan'], ['reparent gives them to its parent', 'reparent'],
  ])('%s', async (_, policy) => {
    const home = await started(config(`  orch: {command: "$PROGRAMS/forever", ${dynamic('', policy)}}\n`));
    const parent = await leader(home);
    const top = await child(home, parent, ['sleep', '1000']);
    const middle = await child(home, top, ['sh', '-c', 'sleep 1001 & exec sleep 1002']);
    const leaf = await child(home, middle, ['sleep', '1003']);
    const bottom = await child(home, leaf, ['sleep', '1004']);
    expect(await tree(home)).toEqual([top, [middle, [leaf, [bottom]]]]);
    process.kill(middle, 'SIGKILL');
    if (policy === 'cascade') {
      await gone(middle, leaf, bottom);
      await soon('the tree is right', async () => JSON.stringify(await tree(home)) === JSON.stringify([top]));
    } else {
      const ended = [top, [middle, leaf, [bottom]]];
      const expected = policy === 'reparent' ? ended : [top, [middle], leaf, [bottom]];
      await soon('the tree is right', async () => JSON.stringify(await tree(home)) === JSON.stringify(expected));
      expect([leaf, bottom].every(isAlive)).toBe(true);
      const shown = JSON.stringify((await home.unit('orch')).spawned_children);
      expect(shown).toMatch(/"last_exit":\{"signal":9,"finished_at":\{"secs_since_epoch":\d+,"nanos_since_epoch":\d+\}\}/);
    }
    await soon('what it started itself is gone', () => !home.processes().some((pid) => commandOf(pid).includes('1001')));
    expect(await leader(home)).toBe(parent);
  });

  test('at its time comes by TERM, and by KILL when that is ignored', async () => {
    const home = await started(config(`  orch: {command: "$PROGRAMS/forever", stop_timeout: 300ms, ${dynamic()}}\n`));
    const parent = await leader(home);
    const mild = await child(home, parent, ['sleep', '1000'], '--name', 'mild', '--ttl', '1');
    const hard = await child(home, parent, [join(import.meta.dirname, '../fixtures/programs/ignores-term')], '--name', 'hard', '--ttl', '1');
    await gone(mild, hard);
    const signals = await soon('both ends are told', async () => {
      const ends = (await records(home)).filter(({ event, cause }) => event === 'child.ended' && cause?.kind === 'timer');
      return ends.length === 2 ? new Map(ends.map(({ detail }) => [detail?.['child'], detail?.['signal']])) : null;
    });
    expect(signals).toEqual(new Map([['mild', 'SIGTERM'], ['hard', 'SIGKILL']]));
  });
});

describe('children end with their service', () => {
  const rebel = join(import.meta.dirname, '../fixtures/programs/ignores-term');
  /** A child, one below it that forgot its tokens, and one that ignores TERM. */
  const family = async (home: Home, parent: number): Promise<readonly number[]> => {
    const first = await child(home, parent, ['sleep', '1000']);
    return [first, await child(home, first, ['env', '-i', '/bin/sleep', '1001']), await child(home, first, [rebel])];
  };
  const service = (more: string): string => config(`  orch: {command: "$PROGRAMS/forever", stop_timeout: 300ms, ${dynamic(more)}}\n  stays: {command: "$PROGRAMS/forever"}\n`);

  test('at a stop', async () => {
    const home = await started(service(''));
    const all = await family(home, await leader(home));
    expect(await home.sysg('stop', '-s', 'orch')).toMatchObject({ code: 0 });
    await gone(...all);
  });

  test('at a restart, and the new process begins without any', async () => {
    const home = await started(service(''));
    const before = await leader(home);
    const all = await family(home, before);
    expect(await home.sysg('restart', '-s', 'orch')).toMatchObject({ code: 0 });
    await gone(...all);
    await soon('none is shown', async () => (await tree(home)).length === 0);
    const after = await leader(home);
    expect(errorOf(await home.exchange(spawnLine(before, ['sleep', '1'])))).toContain('Spawn authorization failed');
    expect(isAlive(await child(home, after, ['sleep', '1000']))).toBe(true);
  });

  test('at a crash', async () => {
    const home = await started(service(', restart_policy: always, backoff: 100ms'));
    const before = await leader(home);
    const all = await family(home, before);
    process.kill(before, 'SIGKILL');
    await gone(...all);
    await home.until('orch', ({ process: found }) => found !== undefined && found.pid !== before, 'is back');
  });

  test('at a reload that removes it', async () => {
    const home = await started(service(''));
    const all = await family(home, await leader(home));
    home.configure(config('  stays: {command: "$PROGRAMS/forever"}\n'));
    expect(await home.sysg('reload')).toMatchObject({ code: 0 });
    await gone(...all);
  });

  test('at a shutdown, which waits for them', async () => {
    const home = await started(service(''));
    const all = await family(home, await leader(home));
    expect(await home.sysg('stop')).toMatchObject({ code: 0 });
    expect(all.filter(isAlive)).toEqual([]);
    const ledger = readFileSync(join(home.state, 'ledger.ndjson'), 'utf8');
    expect(new Set(ledger.match(/(?<="forget_note":")[^"]+/g))).toEqual(new Set(ledger.match(/(?<="note":")child\/[^"]+/g)));
    expect(new Set(ledger.match(/(?<="forget_note":")[^"]+/g)).size).toBe(3);
  });
});

test('the one child that uses most is ended when all together stay above total_memory, and no other is let in before', async () => {
  const home = await started(config('  orch: {command: "$PROGRAMS/forever", spawn: {mode: dynamic, limits: {total_memory: 60M}}}\n'));
  const parent = await leader(home);
  const small = await child(home, parent, ['sleep', '1000'], '--name', 'small');
  const hog = await child(home, parent, [process.execPath, '-e', 'globalThis.kept = Buffer.alloc(120 << 20, 1); setInterval(() => {}, 1000)'], '--name', 'hog');
  await soon('it uses that much', () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${hog}/status`, 'utf8'))?.[1]) > 120_000);
  expect(errorOf(await home.exchange(spawnLine(parent, ['sleep', '1'])))).toBe('Spawn limit exceeded: Memory quota exceeded');
  await gone(hog);
  expect(isAlive(small)).toBe(true);
  const limit = (await records(home)).find(({ event }) => event === 'spawn.limit');
  expect(limit?.detail).toMatchObject({ child: 'hog', pid: hog, limit_bytes: 60 * 2 ** 20 });
  expect(Number(limit?.detail?.['used_bytes'])).toBeGreaterThan(120 * 2 ** 20);
  await soon('its end is told with its cause', async () => (await records(home)).some(({ event, cause }) => event === 'child.ended' && cause?.kind === 'limit'));
});
