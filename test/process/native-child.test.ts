import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadNative } from '../../src/native/load.ts';
import { hasKoffi } from '../native/installed.ts';
import { until } from '../until.ts';
import { exitOf, openWays, type Way } from './launch-ways.ts';
import { serviceSpec } from './spec.ts';

const { dir, ways } = await openWays();

describe.skipIf(!hasKoffi)('a process that is started by Node and one that is started by the native port', () => {
  /** What each of the two shows of the same, which has to be alike. */
  async function alike<Shown>(show: (way: Way) => Promise<Shown>): Promise<Shown> {
    const [byNode, natively] = [await show(ways[0] as Way), await show(ways[1] as Way)];
    expect(natively).toEqual(byNode);
    return natively;
  }

  test('have the same name, words, directory, environment, descriptors and signals, and lead a session', async () => {
    const script = [
      'env | grep -v -E "^(SYSG_INSTANCE|_)="', 'tr "\\0" "|" </proc/$$/cmdline', 'echo; pwd',
      // By another shell: this one would have an end of a pipe, or the file, for a moment.
      'sh -c "ls -l /proc/$$/fd >listed"; sed "s/.* \\([0-9]* ->\\)/\\1/; s/[0-9]*.log//; /total/d" listed',
      // Without a process: a shell blocks every signal while it starts one.
      'while read -r line; do case $line in SigBlk*|SigIgn*|SigCgt*) echo "$line";; esac; done </proc/$$/status', 'read -r pid name state parent group session rest </proc/$$/stat; [ $pid = $group ] && [ $pid = $session ] && echo leads', 'read line || echo nothing to read',
    ].join('\n');
    const shown = await alike(async ({ launch }) => {
      const { child, output } = await launch(['sh', '-c', script, 'a b', '', 'ümläut "quoted"'], { env: { GREETING: 'grüße = da', EMPTY: '' } });
      expect(await exitOf(child)).toEqual({ code: 0, signal: null });
      return output().replaceAll(/(?:true|false)-/g, '');
    });
    expect(shown).toMatch(/^GREETING=grüße = da$/m);
    expect(shown).toMatch(/ümläut "quoted"\|\n/);
    expect(shown).toMatch(/^0 -> \/dev\/null\n1 -> .*\n2 -> /m);
    expect(shown).toMatch(/SigBlk:\t0{16}\nSigIgn:\t0{16}\n[^]*leads\nnothing to read\n$/);
  });

  test.each([['exit 7', { code: 7, signal: null }], ['kill -KILL $$', { code: null, signal: 'SIGKILL' }], ['kill -TERM $$', { code: null, signal: 'SIGTERM' }]])('end alike: %s', async (script, exit) => {
    expect(await alike(async ({ launch }) => exitOf((await launch(['sh', '-c', script])).child))).toEqual(exit);
  });

  test('by a signal without a name end with a code above 128 where that can be seen, and never with success', async () => {
    expect(await exitOf((await ways[1]?.launch(['sh', '-c', 'kill -40 $$']))?.child ?? null)).toEqual({ code: 168, signal: null });
  });

  test('have the soft limit of open files that is asked for, and leave the supervisor its own', async () => {
    const before = readFileSync('/proc/self/limits', 'utf8');
    const limits = await alike(async ({ launch }) => {
      const { child, output } = await launch(['sh', '-c', 'ulimit -S -n; ulimit -H -n'], {}, { softNofile: 300 });
      expect(await exitOf(child)).toEqual({ code: 0, signal: null });
      return output();
    });
    expect(limits).toMatch(/^300\n(?!300\n)/);
    expect(readFileSync('/proc/self/limits', 'utf8')).toBe(before);
  });

  test('have it also where so many files are open that the supervisor could open none under it', async () => {
    const files = Array.from({ length: 80 }, () => openSync('/dev/null', 'r'));
    try {
      expect(await alike(async ({ launch }) => {
        const { child, output } = await launch(['sh', '-c', 'ulimit -S -n; cat /dev/null'], {}, { softNofile: 80 });
        return { exit: await exitOf(child), output: output() };
      })).toEqual({ exit: { code: 0, signal: null }, output: '80\n' });
    } finally {
      files.forEach(closeSync);
    }
  });

  test('are given a further descriptor at its number, and go through the tools for their limits', async () => {
    const { privileges } = serviceSpec([], dir);
    for (const extraAt of [3, 9]) {
      expect(await alike(async ({ launch }) => {
        const { child, output } = await launch(['sh', '-c', `echo by ${extraAt} >&${extraAt}; ulimit -n; ulimit -l`], { privileges: { ...privileges, limits: { nofile: 90, memlock: 0 } } }, { extraAt });
        return { exit: await exitOf(child), output: output() };
      })).toEqual({ exit: { code: 0, signal: null }, output: `by ${extraAt}\n90\n0\n` });
    }
  });

  test('may be a script without a first line for the kernel', async () => {
    writeFileSync(join(dir, 'plain'), 'echo from $0 with $1\n');
    chmodSync(join(dir, 'plain'), 0o755);
    expect(await alike(async ({ launch }) => {
      const { child, output } = await launch(['./plain', 'word']);
      return { exit: await exitOf(child), output: output() };
    })).toEqual({ exit: { code: 0, signal: null }, output: `from ${join(dir, 'plain')} with word\n` });
  });

  test('are refused in the same words', async () => {
    writeFileSync(join(dir, 'broken'), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 2, 3, 0]));
    chmodSync(join(dir, 'broken'), 0o755);
    writeFileSync(join(dir, 'large'), '#!/bin/sh\n');
    chmodSync(join(dir, 'large'), 0o755);
    const orders: readonly (readonly string[])[] = [['./missing'], ['.'], ['/etc/passwd'], ['sh', 'nul\0'], ['./large', 'x'.repeat(200_000)]];
    const reasons = await alike(({ launch }) => Promise.all(orders.map(async (argv) => (await launch(argv)).reason)));
    expect(reasons.every((reason) => reason !== null), JSON.stringify(reasons)).toBe(true);
    const inNoDirectory = await alike(async ({ launch }) => (await launch(['sh'], { workingDir: join(dir, 'gone') })).reason);
    expect(inNoDirectory).toContain('gone');
  });

  test('are all waited for when many end at once, beside children of Node', async () => {
    for (const { launch } of ways) {
      const nodes = Array.from({ length: 20 }, (_, number) => spawn('sh', ['-c', `exit ${number}`]));
      const ofNode = Promise.all(nodes.map(async (child) => (await once(child, 'exit'))[0] as number));
      const launched = await Promise.all(Array.from({ length: 60 }, (_, number) => launch(['sh', '-c', `exit ${number}`])));
      expect(await Promise.all(launched.map(async ({ child }) => (await exitOf(child)).code))).toEqual(Array.from({ length: 60 }, (_, number) => number));
      expect(await ofNode).toEqual(Array.from({ length: 20 }, (_, number) => number));
      for (const { child } of launched) expect(() => readFileSync(`/proc/${child?.identity.pid}/stat`)).toThrow();
    }
  });

  test('are waited for also where a dead child that nobody waits for hides them', async () => {
    const port = await loadNative();
    if (port === null) throw new Error('koffi is not installed');
    const log = openSync(join(dir, 'unawaited.log'), 'a');
    const unawaited = port.spawn({ path: '/bin/true', words: ['true'], environment: {}, workingDir: '/', stdout: log, stderr: log, extra: [], softNofile: null });
    closeSync(log);
    await until('it has ended', () => port.endedChild() === unawaited);
    const { child } = await (ways[1] as Way).launch(['sh', '-c', 'exit 3']);
    expect(await exitOf(child)).toEqual({ code: 3, signal: null });
    expect(port.endedChild()).toBe(unawaited);
    expect(port.reap(Number(unawaited))).toEqual({ code: 0 });
  });
});
