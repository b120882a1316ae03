import { closeSync } from 'node:fs';
import { loadNative } from '../native/load.ts';
import type { NativePort } from '../native/port.ts';
import { ownReserve } from './descriptors.ts';

/**
 * Calls back once when a process that is no child of ours has ended: at once by the native port, within half a second without it and where no descriptor is
 * left for that. `hasEnded` says whether the process that is meant is gone, as another one may have its pid. Returns the end of watching.
 */
export function watchEnd(pid: number, hasEnded: () => boolean, onEnd: () => void): () => void {
  let isOver = false;
  let unwatch = (): void => undefined;
  const stop = (): void => {
    // A descriptor may be closed once: by then another file may have its number.
    if (isOver) return;
    isOver = true;
    unwatch();
  };
  const look = (): void => {
    if (isOver || !hasEnded()) return;
    stop();
    onEnd();
  };
  const poll = (): void => {
    const timer = setInterval(look, pollMs).unref();
    unwatch = () => clearInterval(timer);
  };
  const listen = (port: NativePort): void => {
    const descriptor = port.openProcess(pid);
    if (descriptor === null) return;
    // The supervisor that started the services needed none for that, and may have left no more than the reserve.
    if (ownReserve().holds(descriptor)) return closeSync(descriptor);
    unwatch();
    const watch = port.watch(descriptor, () => {
      unwatch();
      // The kernel has spoken, and what is meant is still there: then it is looked for as without the port.
      poll();
      look();
    });
    unwatch = () => {
      watch.close();
      closeSync(descriptor);
    };
    // It may have ended, and another have its pid, before the kernel was asked.
    look();
  };
  poll();
  void loadNative().then((port) => {
    if (!isOver && port !== null) listen(port);
  });
  return stop;
}

const pollMs = 500;
