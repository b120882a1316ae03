import { expect, onTestFinished, test, vi } from 'vitest';
import { keepSignals, makeShutdown, obeySignals } from '../../src/daemon/signals.ts';
import * as hangup from '../../src/process/hangup.ts';

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

interface Obeying {
  /** Of the route. */
  readonly answer?: object | null;
  readonly asked?: string | null;
  readonly hasTerminal?: boolean;
  readonly nohup?: boolean;
}

/** What a supervisor does that obeys signals: each `done` in a word or two. */
function obeying({ answer = null, asked = null, hasTerminal = true, nohup = false }: Obeying = {}) {
  const signals = ['SIGTERM', 'SIGQUIT', 'SIGPWR', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGSTKFLT', 'SIGXCPU', 'SIGXFSZ'] as const;
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
  onTestFinished(() => {
    for (const signal of signals) for (const listener of process.listeners(signal)) if (before.get(signal)?.includes(listener) !== true) process.off(signal, listener);
  });
  const done: string[] = [];
  const clock = { at: 0 };
  const note = (what: string) => (...words: readonly unknown[]): void => void done.push([what, ...words].join(' '));
  const terminal = vi.spyOn(hangup, 'watchTerminal').mockReturnValue(() => !hasTerminal);
  onTestFinished(() => terminal.mockRestore());
  const said: string[] = [];
  const say = (_part: string, text: string): void => void said.push(text);
  let abandon = (): void => undefined;
  const setting = {
    clock: { now: () => clock.at }, log: { reopen: note('supervisor'), info: say, warn: say, error: say }, echo: null, nohup,
    parent: { onGone: (listener: () => void) => void (abandon = listener), asked },
  };
  const reopening = (what: string) => ({ reopen: note(what) });
  const supervision = {
    units: { send: ({ type }: { type: string }) => void done.push(type) }, outputs: { logs: reopening('services'), childLogs: reopening('children') }, records: { reloadRefused: note('refused') },
  };
  const route = (request: { kind: string }, exchange: { onSignal: string }) => {
    done.push(`${request.kind} for ${exchange.onSignal}`);
    return Promise.resolve(answer);
  };
  obeySignals(setting as never, { give: note('gives what was kept') }, route as never, (because) => done.push(`ends for ${because}`), supervision as never);
  return { done, clock, said, abandon };
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

test('HUP of a terminal that is gone ends, once, and nothing where that was asked for; the next one reloads', () => {
  const { done } = obeying({ hasTerminal: false });
  for (let count = 0; count < 2; count += 1) process.emit('SIGHUP');
  expect(done.slice(1)).toEqual(['ends for the terminal was closed', 'reload for SIGHUP']);
  const kept = obeying({ hasTerminal: false, nohup: true });
  for (let count = 0; count < 2; count += 1) process.emit('SIGHUP');
  expect(kept.done.slice(1)).toEqual(['reload for SIGHUP']);
});

test('what a reload did is said, and so is that a signal means nothing', async () => {
  const { said, done } = obeying({ answer: { kind: 'message', text: 'reloaded' } });
  process.emit('SIGHUP');
  await vi.waitFor(() => expect(said).toEqual(['reloaded']));
  process.emit('SIGUSR2');
  expect(said.slice(1)).toEqual(['SIGUSR2 means nothing to the supervisor and is ignored']);
  expect(done.slice(1)).toEqual(['reload for SIGHUP']);
});

test('a supervisor whose command in the foreground is gone ends', () => {
  const { done, abandon } = obeying();
  abandon();
  expect(done.slice(1)).toEqual(['ends for the command in the foreground is gone']);
});

test.each([['SIGTERM', 'SIGTERM'], ['web', undefined], [null, undefined]] as const)('the end that %s asks for is ordered, recorded and said, once', (by, signal) => {
  const done: unknown[] = [];
  const note = (...what: readonly unknown[]): void => void done.push(what.at(-1));
  const setting = { clock: { now: () => 5 }, log: { info: note }, echo: { say: note } };
  const shutdown = makeShutdown(setting as never, { units: { send: note }, records: { request: note } } as never);
  for (let count = 0; count < 2; count += 1) shutdown('all is done', { kind: 'signal', by });
  expect(done).toEqual([
    'Shutting down: all is done', 'systemg is shutting down... terminating child services',
    { command: 'shutdown', unit: null, asker: { signal }, detail: { because: 'all is done' } }, { type: 'shutdown', at: 5, ticket: null, exitCode: 0, origin: { kind: 'signal', by } },
  ]);
});
