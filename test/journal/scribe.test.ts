import { describe, expect, test } from 'vitest';
import type { JournalRecord } from '../../src/wire/payloads.ts';
import { makeScribe, type Scribe } from '../../src/journal/scribe.ts';
import { openRoster } from '../../src/spawned/roster.ts';
import { specOf } from '../machines/rig.ts';
import { world } from '../machines/supervisor-rig.ts';

function scribed(specs: Parameters<typeof world>[0], memoryKills = (): number => 0): ReturnType<typeof world> & { records: JournalRecord[]; write(): JournalRecord[]; request: Scribe['request']; hookFailed: Scribe['hookFailed'] } {
  const all = world(specs);
  const records: JournalRecord[] = [];
  const roster = openRoster(() => all.root.getSnapshot().context.children);
  const scribe = makeScribe({
    journal: {
      append: (draft) => {
        const record = { seq: records.length + 1, ...draft };
        records.push(record);
        return record;
      },
      lastOf: (unit) => records.findLast((record) => record.unit === unit && record.to !== undefined)?.seq ?? null,
    },
    wallNow: () => all.now(), now: all.now, lastWords: () => ['last words'], maxRestarts: () => 5, childOf: roster.of,
    memoryKills: () => ({ count: memoryKills(), limit: '100M' }),
  });
  let told = 0;
  const write = (): JournalRecord[] => {
    for (; told < all.facts.length; told += 1) {
      const fact = all.facts[told];
      if (fact?.type === 'child.changed') roster.see(fact.facts.child);
      if (fact !== undefined) scribe.fact(fact);
    }
    return records;
  };
  return { ...all, records: records as never, write, request: scribe.request, hookFailed: scribe.hookFailed };
}

test('one record per transition, with what moved it and the record that did', () => {
  const all = scribed([specOf({ name: 'db' }), specOf({ name: 'api', dependsOn: [{ service: 'db', condition: 'started', onRestart: 'restart' }] })]);
  all.send({ type: 'start', units: ['api'] });
  all.come('db');
  all.write();
  all.go('db', 3);
  const told = all.write().map(({ unit, from, to, cause }) => [unit, from, to, cause?.kind, cause?.by, cause?.seq]);
  // States that a unit only passes through have no record.
  expect(told.slice(0, 2)).toEqual([
    ['db', 'stopped', 'spawning', 'dependency', 'api', undefined], ['api', 'stopped', 'waiting', 'command', 'start', undefined],
  ]);
  const held = all.records.find(({ unit, cause }) => unit === 'api' && cause?.kind === 'dependency' && cause.by === 'db');
  expect(all.records.find(({ seq }) => seq === held?.cause?.seq)).toMatchObject({ unit: 'db', to: 'starting' });
  const backoff = all.records.find(({ to }) => to === 'backoff');
  expect(backoff?.detail).toMatchObject({ exit_code: 3, attempt: 1, max_restarts: 5, last_stderr: ['last words'], next_at: new Date(all.now() + 1000).toISOString() });
  expect(backoff?.generation).toBe(1);
});

test('the end of a failed run of a cron unit has its last words, that of another and the next begin have none', () => {
  const all = scribed([specOf({ name: 'tick', cron: { expression: '* * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } })]);
  all.send({ type: 'start', units: ['tick'], origin: { kind: 'boot', by: null } });
  const run = (code: number): void => {
    all.schedules.get('tick')?.send({ type: 'due', at: all.now(), instantWallMs: all.now() });
    all.write();
    all.come('tick');
    all.write();
    all.go('tick', code);
    all.write();
  };
  run(3);
  run(0);
  const told = all.write().filter(({ detail }) => detail?.['last_stderr'] !== undefined);
  expect(told.map(({ from, to, detail }) => ({ from, to, detail }))).toEqual([
    { from: 'clearing', to: 'waiting', detail: { exit_code: 3, reason: 'process exited with status 3', blame: 'process', last_stderr: ['last words'] } },
  ]);
});

test('a dependent that ends when its dependency is back already starts because of the return', () => {
  const all = scribed([specOf({ name: 'db' }), specOf({ name: 'api', dependsOn: [{ service: 'db', condition: 'started', onRestart: 'restart' }] })]);
  all.send({ type: 'start', units: ['api'] });
  all.come('db');
  all.come('api');
  all.send({ type: 'restart', units: ['db'] });
  all.go('db');
  all.report('db', 'process.spawned');
  all.go('api');
  const records = all.write();
  const begun = records.findLast(({ unit, to }) => unit === 'api' && to === 'spawning');
  expect(begun).toMatchObject({ from: 'stopping', cause: { kind: 'dependency', by: 'db' } });
  expect(records.find(({ seq }) => seq === begun?.cause?.seq)).toMatchObject({ unit: 'db', generation: 2, to: 'starting' });
});

test('a dependent that goes down for a restart of its dependency does so because of the request, and because of the end where the dependency crashed', () => {
  for (const crash of [true, false]) {
    const all = scribed([specOf({ name: 'db' }), specOf({ name: 'api', dependsOn: [{ service: 'db', condition: 'started', onRestart: 'restart' }] })]);
    all.send({ type: 'start', units: ['api'] });
    all.come('db');
    all.come('api');
    all.write();
    all.request({ command: 'restart', unit: 'db', asker: {} });
    if (crash) {
      all.write();
      all.go('db', 1);
    } else all.send({ type: 'restart', units: ['db'] });
    const down = all.write().find(({ unit, to }) => unit === 'api' && to === 'stopping');
    expect(down?.cause).toMatchObject({ kind: 'dependency', by: 'db' });
    expect(all.records.find(({ seq }) => seq === down?.cause?.seq)).toMatchObject(crash ? { unit: 'db', to: 'clearing' } : { unit: 'db', event: 'request' });
  }
});

test('a start that waited for hooks is due to what it was begun for', () => {
  const hook = { stage: 'on_stop', outcome: 'success', command: 'notify', timeoutMs: 1000 } as const;
  const all = scribed([specOf({ name: 'api', hooks: [hook] })]);
  all.send({ type: 'start', units: ['api'] });
  all.come('api');
  all.request({ command: 'restart', unit: 'api', asker: { uid: 0, pid: 7 } });
  all.send({ type: 'restart', units: ['api'] });
  all.go('api');
  all.report('api', 'hooks.idle');
  all.report('api', 'process.spawned');
  const begun = all.write().filter(({ unit, generation, to }) => unit === 'api' && generation === 2 && to !== 'waiting');
  expect(begun.map(({ to, cause }) => [to, cause?.kind, cause?.by])).toEqual([['spawning', 'command', 'restart'], ['starting', 'command', 'restart']]);
});

test('a start that waited for the end of a second instance is due to what it was begun for', () => {
  const deployment = { strategy: 'rolling', check: null, gracePeriodMs: 0, blueGreen: null, onAddressInUse: 'replace' } as const;
  const all = scribed([specOf({ name: 'web', deployment })]);
  all.send({ type: 'start', units: ['web'] });
  all.come('web');
  all.send({ type: 'restart', units: ['web'] });
  all.report('web/aside', 'process.spawned');
  all.send({ type: 'stop', units: ['web'] });
  all.request({ command: 'restart', unit: 'web', asker: { uid: 0, pid: 7 } });
  all.send({ type: 'restart', units: ['web'] });
  all.go('web');
  expect(all.state('web')).toBe('waiting');
  all.go('web/aside');
  all.report('web', 'process.spawned');
  expect(all.write().slice(-2).map(({ to, cause }) => [to, cause?.kind, cause?.by])).toEqual([['spawning', 'command', 'restart'], ['starting', 'command', 'restart']]);
});

test('in a storm only the landings are recorded, and how much was left out', () => {
  const all = scribed([specOf({ name: 'loop', restart: { backoff: { initialMs: 10, maxMs: 10, factor: 1, jitter: 0 } } })]);
  all.send({ type: 'start', units: ['loop'] });
  for (let round = 0; round < 40; round += 1) {
    all.report('loop', 'process.spawned');
    all.go('loop', 1);
    all.elapse('loop');
  }
  const records = all.write();
  expect(records.filter(({ to }) => to === 'backoff')).toHaveLength(40);
  expect(records).toHaveLength(85);
  expect(records.some(({ detail }) => typeof detail?.['omitted'] === 'number')).toBe(true);
});

test('spawned children are reported with their cause, no matter who ended them, and are no cause of a change', () => {
  const all = scribed([
    specOf({ name: 'orch', spawn: { children: 9, depth: 9, descendants: 9, totalMemoryBytes: null, terminationPolicy: 'cascade' } }),
    specOf({ name: 'api', dependsOn: [{ service: 'orch', condition: 'started', onRestart: 'restart' }] }),
  ]);
  const order = { unit: 'orch', generation: 1, token: 'T', parent: null, parentPid: 77, name: 'job', argv: ['job'], ttlMs: 9000, logLevel: null };
  const spawn = (number: number, changes = {}): string => {
    all.send({ type: 'spawn', usedBytes: 0, order: { ...order, ...changes } });
    all.reportChild(`seed.c${number}`, 'process.spawned');
    all.write();
    return `seed.c${number}`;
  };
  const end = (child: string): void => {
    all.reportChild(child, 'process.exited', { exit: { code: null, signal: 'SIGTERM' } });
    all.write();
    all.reportChild(child, 'process.gone');
    all.write();
  };
  all.send({ type: 'start', units: ['orch'] });
  all.come('orch');
  const parent = spawn(1);
  const below = spawn(2, { parent, ttlMs: null });
  all.elapseChild(parent);
  end(parent);
  end(below);
  const last = spawn(3);
  all.send({ type: 'stop', units: ['orch'] });
  end(last);
  expect(all.records.filter(({ event }) => event.startsWith('child.')).map(({ event, cause, detail }) => [event, cause, detail])).toEqual([
    ['child.spawned', { kind: 'command', by: 'spawn' }, { child: 'job', pid: 102, parent_pid: 77, depth: 1, ttl_secs: 9 }],
    ['child.spawned', { kind: 'command', by: 'spawn' }, { child: 'job', pid: 103, parent_pid: 77, depth: 2 }],
    ['child.ending', { kind: 'timer' }, { child: 'job', pid: 102, because: 'its time is over' }],
    ['child.ended', { kind: 'timer' }, { child: 'job', pid: 102, signal: 'SIGTERM', because: 'its time is over' }],
    ['child.ending', { kind: 'exit', by: 'job' }, { child: 'job', pid: 103, because: 'its parent has ended' }],
    ['child.ended', { kind: 'exit', by: 'job' }, { child: 'job', pid: 103, signal: 'SIGTERM', because: 'its parent has ended' }],
    ['child.spawned', { kind: 'command', by: 'spawn' }, { child: 'job', pid: 104, parent_pid: 77, depth: 1, ttl_secs: 9 }],
    ['child.ended', { kind: 'exit', by: 'orch' }, { child: 'job', pid: 104, signal: 'SIGTERM', because: 'its service has ended' }],
  ]);
  all.go('orch', 1);
  all.write();
  const changes = new Set(all.records.filter(({ to }) => to !== undefined).map(({ seq }) => seq));
  for (const { cause, to } of all.records) if (to !== undefined && cause?.seq !== undefined) expect(changes).toContain(cause.seq);
});

test('of a storm of children the first are recorded, then how many records were left out', () => {
  const all = scribed([specOf({ name: 'orch', spawn: { children: 999, depth: 9, descendants: 999, totalMemoryBytes: null, terminationPolicy: 'cascade' } })]);
  all.send({ type: 'start', units: ['orch'] });
  all.come('orch');
  const order = { unit: 'orch', generation: 1, token: 'T', parent: null, name: 'job', argv: ['job'], ttlMs: null, logLevel: null };
  const spawn = (number: number): void => {
    all.send({ type: 'spawn', usedBytes: 0, order: { ...order, parentPid: number } });
    all.reportChild(`seed.c${number}`, 'process.spawned');
    all.write();
  };
  for (let number = 1; number <= 100; number += 1) spawn(number);
  const told = () => all.records.filter(({ event }) => event === 'child.spawned');
  expect(told()).toHaveLength(60);
  all.advance(11_000);
  spawn(101);
  expect(told().at(-1)?.detail).toMatchObject({ parent_pid: 101, omitted: 40 });
});

describe('requests', () => {
  const client = { uid: 1000, pid: 42 };

  test('each is one record that is no change of the unit, and what it leads to speaks of it, an ordered restart to its end', () => {
    const all = scribed([specOf({ name: 'db' }), specOf({ name: 'api', dependsOn: [{ service: 'db', condition: 'started', onRestart: 'ignore' }] })]);
    all.request({ command: 'start', unit: 'api', asker: client });
    all.send({ type: 'start', units: ['api'] });
    all.come('db');
    all.come('api');
    all.write();
    all.request({ command: 'restart', unit: 'api', asker: client });
    all.send({ type: 'restart', units: ['api'], specs: null });
    all.write();
    all.go('api', 0);
    const records = all.write();
    expect(records[0]).toEqual({ seq: 1, at: expect.any(String), unit: 'api', event: 'request', cause: { kind: 'command', by: 'start' }, detail: { uid: 1000, pid: 42 } });
    expect(records.filter(({ event }) => event === 'request')).toHaveLength(2);
    // The dependency was started for the sake of that request.
    expect(records.find(({ unit, to }) => unit === 'db' && to === 'spawning')?.cause).toEqual({ kind: 'dependency', seq: 1, by: 'api' });
    expect(records.find(({ unit, to }) => unit === 'api' && to === 'waiting')?.cause).toEqual({ kind: 'command', seq: 1, by: 'start' });
    const restart = records.findLast(({ event }) => event === 'request');
    const after = records.filter(({ unit, seq, to }) => unit === 'api' && seq > (restart?.seq ?? 0) && to !== undefined);
    expect(after.map(({ to }) => to)).toEqual(['stopping', 'spawning']);
    for (const { cause } of after) expect(cause).toEqual({ kind: 'command', seq: restart?.seq, by: 'restart' });
  });

  test('a stop that overtakes a restart is what the end is due to', () => {
    const all = scribed([specOf({ name: 'api' })]);
    all.send({ type: 'start', units: ['api'] });
    all.come('api');
    for (const command of ['restart', 'stop'] as const) {
      all.request({ command, unit: 'api', asker: client });
      all.send(command === 'stop' ? { type: 'stop', units: ['api'] } : { type: 'restart', units: ['api'], specs: null });
      all.write();
    }
    all.go('api', 0);
    const last = all.write().at(-1);
    expect(last).toMatchObject({ to: 'stopped', cause: { kind: 'command', by: 'stop' } });
    expect(all.records.find(({ seq }) => seq === last?.cause?.seq)).toMatchObject({ event: 'request', cause: { by: 'stop' } });
  });

  test.each([
    ['killed by it, no matter when', 60_000, { code: null, signal: 'SIGUSR1' }, true],
    ['that ended right after it', 500, { code: 0, signal: null }, true],
    ['that ended long after it in another way', 60_000, { code: 3, signal: null }, false],
  ] as const)('a signal by request is the cause of the end of a process %s', (_, afterMs, exit, isCause) => {
    const all = scribed([specOf({ name: 'api', restart: { mode: 'always' } })]);
    all.send({ type: 'start', units: ['api'] });
    all.come('api');
    all.write();
    all.request({ command: 'signal', unit: 'api', asker: client, detail: { signal: 'SIGUSR1', to_pid: 9 } });
    const sent = all.records.at(-1);
    expect(sent).toMatchObject({ event: 'request', unit: 'api', cause: { by: 'signal' }, detail: { signal: 'SIGUSR1', uid: 1000, pid: 42 } });
    all.advance(afterMs);
    all.report('api', 'process.exited', { exit });
    const cause = all.write().find(({ event, seq }) => event === 'process.exited' && seq > (sent?.seq ?? 0))?.cause;
    expect(cause).toMatchObject(isCause ? { kind: 'command', by: 'signal', seq: sent?.seq } : { kind: 'exit' });
    // Of the next process it is not.
    all.report('api', 'process.gone');
    all.elapse('api');
    all.come('api');
    all.report('api', 'process.exited', { exit: { code: null, signal: 'SIGUSR1' } });
    expect(all.write().findLast(({ event }) => event === 'process.exited')?.cause?.kind).toBe('exit');
  });

  test('what a start from the command line makes is started by that command, another new unit by the new configuration', () => {
    const all = scribed([specOf({ name: 'db' })]);
    all.send({ type: 'start', units: ['db'] });
    all.come('db');
    all.request({ command: 'start', unit: 'tick', asker: client, detail: { command: 'sleep 9' } });
    all.send({ type: 'reload', specs: [specOf({ name: 'db' }), specOf({ name: 'tick' })] });
    all.write();
    all.request({ command: 'reload', unit: null, asker: client });
    all.send({ type: 'reload', specs: [specOf({ name: 'db' }), specOf({ name: 'tick' }), specOf({ name: 'api' })] });
    const causes = all.write().filter(({ from }) => from === 'stopped').map(({ unit, cause }) => [unit, cause?.kind, all.records.find(({ seq }) => seq === cause?.seq)?.cause?.by]);
    expect(causes.slice(1)).toEqual([['tick', 'command', 'start'], ['api', 'reload', 'reload']]);
  });

  test('a signal to the supervisor is a request too', () => {
    const all = scribed([specOf({ name: 'api' })]);
    all.request({ command: 'reload', unit: null, asker: { signal: 'SIGHUP' }, detail: { config: '/c' } });
    expect(all.records).toMatchObject([{ unit: null, event: 'request', cause: { kind: 'signal', by: 'SIGHUP' }, detail: { command: 'reload', config: '/c' } }]);
  });
});

test('a hook that failed is a record that changes nothing, and many at once are counted', () => {
  const { records, hookFailed } = scribed([specOf({ name: 'api' })]);
  for (let count = 0; count < 70; count += 1) hookFailed('api', 'on_start.success', 'exited with status 1');
  expect(records).toHaveLength(60);
  expect(records[0]).toMatchObject({ unit: 'api', event: 'hook.failed', detail: { hook: 'on_start.success', reason: 'exited with status 1' } });
  expect(records[0]).not.toHaveProperty('to');
});

test.each([
  [{ code: null, signal: 'SIGKILL' as const }, 1, '100M'], [{ code: 137, signal: null }, 1, '100M'], [{ code: null, signal: 'SIGKILL' as const }, 0, undefined], [{ code: 3, signal: null }, 1, undefined],
])('an end %j, while the kernel killed %i process for memory, names the limit %s', (exit, more, limit) => {
  let kills = 4;
  const all = scribed([specOf({ name: 'api' })], () => kills);
  all.send({ type: 'start', units: ['api'] });
  all.come('api');
  all.write();
  kills += more;
  all.report('api', 'process.exited', { exit });
  all.report('api', 'process.gone');
  expect(all.write().find(({ to }) => to === 'backoff')?.detail?.['memory_max']).toBe(limit);
});
