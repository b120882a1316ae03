import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import limits from './counts.json' with { type: 'json' };
import { makeHome, soon, type Home } from './rig.ts';

/**
 * What things cost as numbers that no busy machine changes: sizes, descriptors, calls of node:fs, each of which is one to four system calls.
 * The limits are in counts.json. Those of bundles leave a twentieth to grow; those of calls what one more writing of the state files and one more
 * search for processes take, which a busy machine may make necessary, and a Python where there is no Perl. A change that needs more raises the limit
 * there and says in its commit what that buys; one that needs less lowers it.
 */
const dist = resolve(import.meta.dirname, '../../dist');
const counter = resolve(import.meta.dirname, '../fixtures/count-calls.cjs');
const rounds = 5;

test('no bundle is larger or made of more sources than its limits say, and each has limits', () => {
  const modules: Record<string, number> = JSON.parse(readFileSync(join(dist, 'modules.json'), 'utf8'));
  const bundles: Record<string, { readonly bytes: number; readonly modules: number }> = limits.bundles;
  const built = Object.keys(modules).toSorted();
  expect(built).toEqual(Object.keys(bundles).toSorted());
  const beyond = built.flatMap((name) => {
    const found = { bytes: statSync(join(dist, name)).size, modules: modules[name] ?? 0 };
    const most = bundles[name] ?? found;
    return found.bytes > most.bytes || found.modules > most.modules ? [`${name} has ${found.bytes} bytes of ${found.modules} modules, its limits are ${most.bytes} and ${most.modules}`] : [];
  });
  expect(beyond).toEqual([]);
});

test('the supervisor makes no more calls for a start, a stop and a restart of one service than their limits say, nor keeps more descriptors for it', async () => {
  const home = makeHome(units(3));
  const file = join(home.dir, 'calls');
  await run(home, file, 3);

  const perUnit = descriptors(home).filter((target) => /\/(fifo|logs)\/u1[._]/.test(target));
  expect(perUnit.length).toBeLessThanOrEqual(limits.descriptorsPerService);
  // Sockets, pipes and the like come and go, and Node's own differ from version to version.
  const own = descriptors(home).filter((target) => target.startsWith(`${home.state}/`) && !/\/(fifo|logs)\//.test(target));
  expect(own.length, own.join(' ')).toBeLessThanOrEqual(limits.filesKeptOpen);

  const found: Record<string, Record<string, number>[]> = { stop: [], start: [], restart: [] };
  for (let round = 0; round < rounds; round += 1) {
    // Asked on the socket: a command that waits asks for the status, too.
    for (const [verb, request] of Object.entries({ stop: { Stop: { service: 'u1' } }, start: { Start: { service: 'u1' } }, restart: { Restart: { config: home.config, service: 'u1' } } })) {
      const before = linesOf(file).length;
      expect(await home.exchange(JSON.stringify(request))).toContain('{"Message":');
      found[verb]?.push(classesOf(linesOf(file).slice(before), home));
    }
  }
  // The least of the rounds: every few seconds the supervisor looks at its own files.
  const least = Object.fromEntries(Object.entries(found).map(([verb, counts]) => [
    verb, Object.fromEntries(Object.keys(limits.calls.stop).map((name) => [name, Math.min(...counts.map((each) => each[name] ?? 0))])),
  ]));
  const most: Record<string, Record<string, number>> = limits.calls;
  const slack: Record<string, number> = limits.slack;
  const beyond = Object.entries(least).flatMap(([verb, counts]) => Object.entries(counts).flatMap(([name, count]) => (
    count > (most[verb]?.[name] ?? 0) + (slack[name] ?? 0) ? [`${verb}: ${name} ${count}, the limit is ${most[verb]?.[name]} and ${slack[name] ?? 0} more on a busy machine`] : []
  )));
  expect(beyond).toEqual([]);
  // A counter that counts nothing would find nothing to complain about.
  expect(least['restart']).toMatchObject({ fsync: 1 });
  expect(least['restart']?.['processes']).toBeGreaterThan(0);
});

/** The supervisor in the foreground, without the optional native port, until all of its services run. */
async function run(home: Home, file: string, count: number): Promise<void> {
  const words = ['--require', counter, join(dist, 'daemon.js'), '--config', home.config, '--mode', 'user', '--foreground'];
  void home.openProgram(process.execPath, words, { SYSG_NATIVE: '0', COUNT_CALLS: file });
  await soon('all services run', () => home.status().then(({ units: all }) => all.filter(({ phase }) => phase === 'running').length === count, () => false));
}

function units(count: number): string {
  return `version: "1"\nservices:\n${Array.from({ length: count }, (_, index) => `  u${index}: {command: "exec sleep 1000"}\n`).join('')}`;
}

function descriptors(home: Home): readonly string[] {
  const directory = `/proc/${home.supervisorPid()}/fd`;
  return readdirSync(directory).flatMap((name) => {
    try {
      return [readlinkSync(join(directory, name))];
    } catch {
      // It was closed meanwhile.
      return [];
    }
  });
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n').filter((line) => line !== '');
}

function classesOf(lines: readonly string[], { state }: Home): Record<string, number> {
  const calls = lines.map((line) => line.split(' ', 2)).map(([name = '', subject = '']) => ({ name, subject }));
  const count = (fits: (call: { readonly name: string; readonly subject: string }) => boolean): number => calls.filter(fits).length;
  const isKernel = (subject: string): boolean => subject.startsWith('/proc/') || subject.startsWith('/sys/');
  return {
    processes: count(({ name }) => name === 'spawn'),
    fsync: count(({ name }) => name === 'fsyncSync' || name === 'fdatasyncSync'),
    replaced: count(({ name }) => name === 'renameSync'),
    ledgerLines: count(({ name, subject }) => name === 'writeSync' && subject === join(state, 'ledger.ndjson')),
    journalLines: count(({ name, subject }) => name === 'writeSync' && subject === join(state, 'journal.ndjson')),
    // Without control groups all of /proc is read for the end of a service: as many calls as the machine has processes.
    kernel: lines.some((line) => line.startsWith('mkdirSync /sys/') || line.startsWith('rmdirSync /sys/')) ? count(({ subject }) => isKernel(subject)) : 0,
    files: count(({ name, subject }) => name !== 'spawn' && !isKernel(subject) && !subject.endsWith('.xml.tmp') && subject !== join(state, 'ledger.ndjson')),
  };
}
