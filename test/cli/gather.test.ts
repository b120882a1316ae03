import { appendFileSync, readdirSync, readlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { gather, type Crowd, type SourcedLine } from '../../src/cli/logs/gather.ts';
import type { Source } from '../../src/cli/logs/sources.ts';
import { makeCompressor } from '../../src/logs/compress.ts';
import { LogWriter } from '../../src/logs/writer.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';

const begin = Date.UTC(2026, 0, 31, 12);

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'], now: begin }));
afterEach(() => void vi.useRealTimers());

const problems = (text: string): never => {
  throw new Error(text);
};

/** A log with the times of what is written to it. */
function log(dir: string, unit: string): { readonly source: Source; write(atMs: number, text: string): void } {
  const file = join(dir, `${unit}_stderr.log`);
  const writer = new LogWriter(file, { rotation: { sizeBytes: 1e6, keep: 1, compress: false }, owner: null, compressor: makeCompressor(problems), onProblem: problems, timed: true });
  onTestFinished(() => writer.close());
  return {
    source: { unit, stream: 'stderr', title: unit, file },
    write(atMs, text) {
      vi.advanceTimersByTime(begin + atMs - Date.now());
      writer.write(Buffer.from(text));
      utimesSync(file, (begin + atMs) / 1000, (begin + atMs) / 1000);
    },
  };
}

/** Follows until the test is over. */
function followed(sources: readonly Source[], showsUnfinished: boolean, onFollowing?: (crowd: Crowd) => () => void): { readonly lines: readonly string[]; readonly begun: number | null } {
  const lines: string[] = [];
  const seen = { lines, begun: null as number | null };
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  void gather(sources, {
    lines: 50, filter: { sinceMs: null, untilMs: null, pattern: null }, follow: stop.signal, showsUnfinished, onFollowing, onUndated: () => {},
    onBegun: (count) => {
      seen.begun = count;
    },
  }, (more: readonly SourcedLine[]) => {
    lines.push(...more.map(({ source, bytes }) => `${source.unit}: ${bytes.toString()}`));
    return Promise.resolve();
  });
  return seen;
}

describe('logs that are followed', () => {
  test('show a line that a dead process left unfinished, in its place by time, and what comes of it as another', async () => {
    const dir = tempDir();
    const [crash, web] = [log(dir, 'crash'), log(dir, 'web')];
    crash.write(0, 'panic');
    web.write(10_000, 'GET /\n');
    vi.advanceTimersByTime(10_000);
    const seen = followed([crash.source, web.source], true);
    await until('both lines are there', () => seen.lines.length === 2);
    expect(seen).toEqual({ lines: ['crash: panic', 'web: GET /'], begun: 2 });
    // The newline that the next process begins with ends a line that was shown.
    appendFileSync(crash.source.file, '\nstarted\n');
    await until('the next line is there', () => seen.lines.length === 3);
    expect(seen.lines[2]).toBe('crash: started');
  });

  test('are followed in any number without a warning of Node.js', async () => {
    const warnings: string[] = [];
    const warned = ({ name }: Error): number => warnings.push(name);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const dir = tempDir();
    const sources = Array.from({ length: 12 }, (_, index) => {
      const { source, write } = log(dir, `web-${index}`);
      write(0, 'up\n');
      return source;
    });
    const seen = followed(sources, true);
    await until('all lines are there', () => seen.lines.length === 12);
    expect(warnings).toEqual([]);
  });

  test('show a question when it has waited for a while, unless whole lines are wanted', async () => {
    const dir = tempDir();
    const web = log(dir, 'web');
    web.write(0, 'first\n');
    const [person, program] = [followed([web.source], true), followed([web.source], false)];
    await until('both have begun', () => person.lines.length + program.lines.length === 2);
    appendFileSync(web.source.file, 'Password: ');
    await until('the question is shown', () => person.lines.length === 2);
    expect(program.lines).toEqual(['web: first']);
    appendFileSync(web.source.file, 'secret\n');
    await until('the answer is shown', () => person.lines.length === 3 && program.lines.length === 2);
    expect(person.lines.slice(1)).toEqual(['web: Password: ', 'web: secret']);
    expect(program.lines[1]).toBe('web: Password: secret');
  });

  test('are joined by others with what was written since then, and left by those that are gone', async () => {
    const dir = tempDir();
    const [old, web] = [log(dir, 'old'), log(dir, 'web')];
    old.write(0, 'begun\n');
    web.write(1000, 'of another life\n');
    web.write(10_000, 'up\n');
    let crowd: Crowd | undefined;
    const seen = followed([old.source], true, (given) => {
      crowd = given;
      return () => {};
    });
    await until('it is followed', () => seen.lines.length === 1);
    crowd?.join([web.source], begin + 9000);
    await until('what it said since then is there', () => seen.lines.length === 2);
    expect(seen).toEqual({ lines: ['old: begun', 'web: up'], begun: 1 });
    crowd?.leave('old');
    appendFileSync(old.source.file, 'last words\n');
    await until('the last words are there', () => seen.lines[2] === 'old: last words');
    // One that is back at once goes on to be followed.
    crowd?.leave('web');
    crowd?.join([web.source], begin + 9000);
    // Its writer has it open.
    await until('the log of the one that is gone is closed', () => openFiles().filter((file) => file === old.source.file).length === 1);
    appendFileSync(web.source.file, 'still up\n');
    await until('the other one is followed', () => seen.lines.length === 4);
    expect(seen.lines[3]).toBe('web: still up');
    crowd?.join([old.source], begin + 10_000);
    old.write(20_000, 'back\n');
    await until('it is followed again', () => seen.lines.includes('old: back'));
  });
});

/** What this process has open. */
function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      // The directory itself, which is closed.
      return [];
    }
  });
}
