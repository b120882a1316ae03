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

/** What a supervisor does that obeys signals: each `done` in a word or two. `answer`: of the route. */
function obeying({ answer = null, asked = null }: { readonly answer?: object | null; readonly asked?: string | null } = {}): { readonly done: string[]; readonly clock: { at: number } } {
  const signals = ['SIGTERM', 'SIGQUIT', 'SIGPWR', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGSTKFLT', 'SIGXCPU', 'SIGXFSZ'] as const;
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
  onTestFinished(() => {
    for (const signal of signals) for (const listener of process.listeners(signal)) if (before.get(signal)?.includes(listener) !== true) process.off(signal, listener);
  });
  const done: string[] = [];
  const clock = { at: 0 };
  const note = (what: string) => (...words: readonly unknown[]): void => void done.push([what, ...words].join(' '));
  const reopening = (what: string) => ({ reopen: note(what), info: () => undefined, warn: () => undefined, error: () => undefined });
  const setting = { clock: { now: () => clock.at }, log: reopening('supervisor'), echo: null, parent: { onGone: () => undefined, asked }, nohup: false };
  const supervision = {
    units: { send: ({ type }: { type: string }) => void done.push(type) }, outputs: { logs: reopening('services'), childLogs: reopening('children') }, records: { reloadRefused: note('refused') },
  };
  const route = (request: { kind: string }, exchange: { onSignal: string }) => {
    done.push(`${request.kind} for ${exchange.onSignal}`);
    return Promise.resolve(answer);
  };
  obeySignals(setting as never, { give: note('gives what was kept') }, route as never, (because) => done.push(`ends for ${because}`), supervision as never);
  return { done, clock };
}

test('USR1 opens every log anew: that of the supervisor, those of the services and those of spawned children', () => {
  const { done } = obeying();
  expect(done.splice(0)).toEqual(['gives what was kept']);
  process.emit('SIGUSR1');
  expect(done).toEqual(['supervisor', 'services', 'children']);
});

test('INT ends, and hurries when the end has begun, by whatever signal; the same key that comes by two ways counts once', () => {
  const { done, clock } = obeying();
  for (const at of [0, 99, 100]) {
    clock.at = at;
    process.emit('SIGINT');
  }
  expect(done.splice(0)).toEqual(['gives what was kept', 'ends for SIGINT', 'hurry']);
  const other = obeying();
  process.emit('SIGTERM');
  other.clock.at = 5000;
  process.emit('SIGINT');
  expect(other.done.slice(1)).toEqual(['ends for SIGTERM', 'hurry']);
});

test('HUP reloads, and that the reload was refused is recorded', async () => {
  const { done } = obeying({ answer: { kind: 'error', text: 'a mistake in line 3' } });
  process.emit('SIGHUP');
  await vi.waitFor(() => expect(done.slice(1)).toEqual(['reload for SIGHUP', 'refused SIGHUP a mistake in line 3']));
});

test('a signal that the guardian got while no supervisor lived is sent again after what this one has kept', () => {
  const sent = vi.spyOn(process, 'kill').mockReturnValue(true);
  onTestFinished(() => sent.mockRestore());
  expect(obeying({ asked: 'SIGTERM' }).done).toEqual(['gives what was kept']);
  expect(sent.mock.calls).toEqual([[process.pid, 'SIGTERM']]);
});
