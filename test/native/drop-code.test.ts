import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadNative } from '../../src/native/load.ts';
import { hasKoffi } from './installed.ts';

/** Megabytes of files that are mapped into this process and are in memory: RssFile of proc_pid_status(5). */
const ofFiles = (): number => Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) / 1024;

test.skipIf(!hasKoffi)('a process that gives the pages of its program back is smaller by half of them, and goes on', async () => {
  const port = await loadNative();
  if (port === null) throw new Error('koffi is not installed');
  const before = ofFiles();
  port.dropCode();
  const after = ofFiles();
  expect(before).toBeGreaterThan(30);
  expect(after).toBeLessThan(before / 2);
  expect(JSON.parse(JSON.stringify({ text: 'x'.repeat(10_000).toUpperCase(), at: new Date(0).toISOString() }))).toEqual({ text: 'X'.repeat(10_000), at: '1970-01-01T00:00:00.000Z' });
});
