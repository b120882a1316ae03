import { expect, onTestFinished, test, vi } from 'vitest';
import { AFTER_START_MS, keepSmall } from '../../src/daemon/rest.ts';
import { loadNative } from '../../src/native/load.ts';
import { hasKoffi } from '../native/installed.ts';

test.skipIf(!hasKoffi)('memory is given back once after the start, and once after the last of several requests', async () => {
  const port = await loadNative();
  if (port === null) throw new Error('koffi is not installed');
  const given = vi.spyOn(port, 'dropCode').mockImplementation(() => undefined);
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
    given.mockRestore();
  });
  const noteWork = keepSmall();
  noteWork(AFTER_START_MS);
  await vi.advanceTimersByTimeAsync(AFTER_START_MS);
  expect(given).toHaveBeenCalledTimes(1);
  for (let request = 0; request < 5; request += 1) {
    noteWork();
    await vi.advanceTimersByTimeAsync(9_000);
  }
  expect(given).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(given).toHaveBeenCalledTimes(2);
});
