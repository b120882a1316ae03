import { expect, onTestFinished, test, vi } from 'vitest';
import { keepSignals, obeySignals } from '../../src/daemon/signals.ts';

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

test('USR1 opens every log anew: that of the supervisor, those of the services and those of spawned children', () => {
  const signals = ['SIGTERM', 'SIGQUIT', 'SIGPWR', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGSTKFLT', 'SIGXCPU'] as const;
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
  onTestFinished(() => {
    for (const signal of signals) for (const listener of process.listeners(signal)) if (before.get(signal)?.includes(listener) !== true) process.off(signal, listener);
  });
  const opened: string[] = [];
  const reopening = (what: string) => ({ reopen: () => void opened.push(what), info: () => undefined });
  const setting = { clock: { now: () => 0 }, log: reopening('supervisor'), echo: null, parent: { onGone: () => undefined, asked: null }, nohup: false };
  const supervision = { units: {}, outputs: { logs: reopening('services'), childLogs: reopening('children') }, records: {} };
  const unused = (): never => {
    throw new Error('no signal of this test needs it');
  };
  obeySignals(setting as never, { give: () => undefined }, unused, unused, supervision as never);
  process.emit('SIGUSR1');
  expect(opened).toEqual(['supervisor', 'services', 'children']);
});
