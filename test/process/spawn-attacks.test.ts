import { chmodSync, copyFileSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ServiceSpec } from '../../machines/types.ts';
import { exitOf, openWays, type Way } from './launch-ways.ts';

const { dir, ways } = await openWays();

const at = (name: string): string => join(dir, name);
function write(name: string, content: string | Buffer, mode = 0o755): void {
  rmSync(at(name), { force: true, recursive: true });
  writeFileSync(at(name), content, { mode });
  chmodSync(at(name), mode);
}

interface Attack {
  readonly what: string;
  readonly argv: readonly string[];
  readonly changes?: Partial<ServiceSpec>;
  prepare?(): void;
  /** Between the look at the program and its start. */
  between?(): void;
  readonly expected: RegExp;
}

const elf = (machine: number): Buffer => Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, machine, 0, 1, 0, 0, 0, ...Array.from({ length: 200 }, () => 0)]);
let writing: number | null = null;

const attacks: readonly Attack[] = [
  { what: 'a program that is removed before its start', argv: ['./program'], prepare: () => write('program', '#!/bin/sh\n'), between: () => rmSync(at('program')), expected: /"\.\/program" cannot be executed: no such file or directory$/ },
  { what: 'a program that becomes a directory', argv: ['./program'], prepare: () => write('program', '#!/bin/sh\n'), between: () => { rmSync(at('program')); mkdirSync(at('program')); }, expected: /"\.\/program" cannot be executed: permission denied$/ },
  { what: 'a program that may not be executed any more', argv: ['./program'], prepare: () => write('program', '#!/bin/sh\n'), between: () => chmodSync(at('program'), 0o644), expected: /"\.\/program" cannot be executed: permission denied$/ },
  { what: 'a program whose interpreter goes', argv: ['./program'], prepare: () => { write('interpreter', '#!/bin/sh\n'); write('program', `#!${at('interpreter')}\n`); }, between: () => rmSync(at('interpreter')), expected: /"\.\/program" cannot be executed: no such file or directory$/ },
  { what: 'a program for another processor', argv: ['./foreign'], prepare: () => write('foreign', elf(0x2b)), expected: /foreign" cannot be executed: it is a program for another processor, or a part of one$/ },
  { what: 'a program of which there is only the beginning', argv: ['./torn'], prepare: () => write('torn', elf(0x2b).subarray(0, 8)), expected: /torn" cannot be executed: it is a program for another processor, or a part of one$/ },
  { what: 'a name of 2 MB', argv: [`./${'x'.repeat(2_000_000)}`], expected: /^the name of the program has 2000002 characters, of which a path has fewer than 4096$/ },
  { what: 'a program that is being written', argv: ['./busy'], prepare: () => { rmSync(at('busy'), { force: true }); copyFileSync('/bin/sleep', at('busy')); writing = openSync(at('busy'), 'r+'); }, expected: /"\.\/busy" cannot be executed: the file is being written$/ },
  { what: 'a working directory that goes', argv: ['/bin/true'], changes: { workingDir: at('cwd') }, prepare: () => mkdirSync(at('cwd'), { recursive: true }), between: () => rmSync(at('cwd'), { recursive: true }), expected: /cannot be executed: no such file or directory$/ },
  { what: 'words of 2 MB together', argv: ['/bin/true', ...Array.from({ length: 40 }, () => 'x'.repeat(60_000))], expected: /"\/bin\/true" cannot be executed: its arguments and environment are too long$/ },
  { what: 'one word of 2 MB', argv: ['/bin/true', 'x'.repeat(2_000_000)], expected: /"\/bin\/true" cannot be executed: its arguments and environment are too long$/ },
  { what: 'an environment of 2 MB', argv: ['/bin/true'], changes: { env: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`V${index}`, 'x'.repeat(60_000)])) }, expected: /"\/bin\/true" cannot be executed: its arguments and environment are too long$/ },
  { what: 'output that cannot be opened', argv: ['/bin/true'], between: () => { throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' }); }, expected: /cannot be started: no file descriptor is left$/ },
];

/** Open descriptors of this process with what they lead to, and its children. */
function held(): readonly string[] {
  const descriptors = readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      return [`${name} -> ${readlinkSync(`/proc/self/fd/${name}`)}`];
    } catch {
      // That of the listing.
      return [];
    }
  });
  return [...descriptors, ...readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').map((pid) => `child ${pid}`)];
}

describe.skipIf(ways.length === 0).each(ways.map((way) => [way.name, way] as const))('a start by %s', (_name, way: Way) => {
  test.each(attacks)('is refused, and leaves nothing behind: $what', async ({ argv, changes, prepare, between, expected }) => {
    // The first start opens what is kept.
    await exitOf((await way.launch(['/bin/true'])).child);
    prepare?.();
    const before = new Set(held());
    const { reason, child, token } = await way.launch(argv, changes, between === undefined ? {} : { between });
    expect([child, reason]).toEqual([null, expect.stringMatching(expected)]);
    // What another file of this worker has left may go meanwhile.
    expect(held().filter((one) => !before.has(one))).toEqual([]);
    expect(way.hasMark(token)).toBe(false);
    if (writing !== null) closeSync(writing);
    writing = null;
    expect(await exitOf((await way.launch(['/bin/true'])).child)).toEqual({ code: 0, signal: null });
  });

  test('executes what takes the place of the program in time, whole', async () => {
    write('program', '#!/bin/sh\necho old');
    write('next', '#!/bin/sh\necho new');
    const { child, output } = await way.launch(['./program'], {}, { between: () => renameSync(at('next'), at('program')) });
    expect(await exitOf(child)).toEqual({ code: 0, signal: null });
    expect(output()).toBe('new\n');
  });
});
