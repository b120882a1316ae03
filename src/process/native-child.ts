import { signalNumbered } from '../signals.ts';
import type { ProcessExit } from '../../machines/types.ts';
import { nativePort } from '../native/load.ts';
import type { ChildEnd, NativePort, SpawnOrder } from '../native/port.ts';

/** What is kept of a started process, by whatever it was started: the part of Node's ChildProcess that is used. */
export interface StartedProcess {
  readonly pid?: number | undefined;
  once(event: 'exit', onExit: (code: number | null, signal: ProcessExit['signal']) => void): unknown;
  unref(): void;
}

export interface StartedNatively extends StartedProcess {
  readonly pid: number;
}

export interface StartOrder extends Omit<SpawnOrder, 'path' | 'extra'> {
  readonly file: string;
  readonly argv0: string;
  readonly extra?: SpawnOrder['extra'] | undefined;
}

/**
 * Starts a process in a session of its own by the native port, as Node's `spawn` does with `detached`. `null`: there is no port, or the kernel refuses; then nothing
 * was started, and Node's way says why or finds another (a script without a first line for the kernel is given to a shell).
 */
export function startNatively({ file, argv0, words, workingDir, environment, stdout, stderr, extra = [], softNofile }: StartOrder): StartedNatively | null {
  const port = nativePort();
  if (port === null || stdout <= 2 || stderr <= 2 || !file.startsWith('/')) return null;
  if (extra.some(({ at }, place) => at <= 2 || extra.slice(place + 1).some(({ descriptor }) => descriptor === at))) return null;
  // For this moment a thread of ours that opens a file has that limit, too. The kernel gives the lowest number that is free: these are near the first that is.
  if (softNofile !== null && Math.max(stdout, stderr) + SPARE_DESCRIPTORS > softNofile) return null;
  const strings = [file, argv0, ...words, workingDir, ...Object.entries(environment).flat()];
  if (strings.some((text) => text?.includes('\0'))) return null;
  // Before the start: a child may end at once.
  obeyChildren(port);
  const pid = port.spawn({ path: file, words: [argv0, ...words], environment, workingDir, stdout, stderr, extra, softNofile });
  if (typeof pid === 'string') return null;
  unreaped.set(pid, () => undefined);
  return {
    pid,
    once: (_, onExit) => void unreaped.set(pid, (end) => ('code' in end ? onExit(end.code, null) : onKilled(end.signal, onExit))),
    unref: () => undefined,
  };
}

const SPARE_DESCRIPTORS = 64;

/** As a shell counts the end by a signal that has no name: Node would say 0. */
function onKilled(number: number, onExit: (code: number | null, signal: ProcessExit['signal']) => void): void {
  const signal = signalNumbered(number);
  onExit(signal === null ? 128 + number : null, signal);
}

const unreaped = new Map<number, (end: ChildEnd) => void>();
let isObeyed = false;

function obeyChildren(port: NativePort): void {
  if (isObeyed) return;
  isObeyed = true;
  let isDue = false;
  process.on('SIGCHLD', () => {
    if (isDue) return;
    isDue = true;
    // By then libuv has waited for its own children, and those that are left are ours.
    setImmediate(() => {
      isDue = false;
      reapAll(port);
    });
  });
}

function reapAll(port: NativePort): void {
  for (let ended = port.endedChild(); ended !== null; ended = port.endedChild()) {
    // One that nobody waits for hides the others: those of ours are asked one by one.
    if (!reapOne(port, ended)) {
      for (const pid of unreaped.keys()) reapOne(port, pid);
      return;
    }
  }
}

function reapOne(port: NativePort, pid: number): boolean {
  const onEnd = unreaped.get(pid);
  const end = onEnd === undefined ? null : port.reap(pid);
  if (onEnd === undefined || end === null) return false;
  unreaped.delete(pid);
  onEnd(end);
  return true;
}
