import { expect, onTestFinished, test, vi } from 'vitest';
import { keepSmall } from '../../src/daemon/rest.ts';
import { interpreter } from '../../src/interpreter.ts';
import { loadNative } from '../../src/native/load.ts';
import { hasKoffi } from '../native/installed.ts';

test.skipIf(!hasKoffi)('memory is given back once after the start, and once after the last of several requests', async () => {
  const port = await loadNative();
  if (port === null) throw new Error('koffi is not installed');
  const given = vi.spyOn(port, 'dropCode').mockImplementation(() => undefined);
  const compacted = vi.spyOn(interpreter, 'compact').mockImplementation(() => undefined);
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
    given.mockRestore();
    compacted.mockRestore();
  });
  const noteWork = keepSmall();
  noteWork('start');
  await vi.advanceTimersByTimeAsync(1000);
  expect(given).toHaveBeenCalledTimes(1);
  expect(compacted).toHaveBeenCalledTimes(1);
  for (let request = 0; request < 5; request += 1) {
    noteWork('request');
    await vi.advanceTimersByTimeAsync(9_000);
  }
  expect(given).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(given).toHaveBeenCalledTimes(2);
  expect(compacted).toHaveBeenCalledTimes(1);

  // A request right after the start puts both off.
  const noteOther = keepSmall();
  noteOther('start');
  noteOther('request');
  await vi.advanceTimersByTimeAsync(9_000);
  expect(compacted).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(compacted).toHaveBeenCalledTimes(2);
});
