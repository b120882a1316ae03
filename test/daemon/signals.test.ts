import { expect, onTestFinished, test, vi } from 'vitest';
import { keepSignals } from '../../src/daemon/signals.ts';

test('signals that arrive before they can be obeyed are kept, sent again when they can, and handled by nobody in between', () => {
  const sent = vi.spyOn(process, 'kill').mockReturnValue(true);
  onTestFinished(() => sent.mockRestore());
  const before = process.listenerCount('SIGTERM');
  const kept = keepSignals();
  process.emit('SIGTERM');
  process.emit('SIGHUP');
  expect(sent).not.toHaveBeenCalled();
  kept.give();
  expect(sent.mock.calls).toEqual([[process.pid, 'SIGTERM'], [process.pid, 'SIGHUP']]);
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
