import { closeSync, openSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { readStatText, statFields } from './proc.ts';

/**
 * To be called at the start. Gives whether the controlling terminal has been closed since: the kernel takes it from every process of the session
 * before it sends SIGHUP, which so differs from one that a person sends.
 */
export function watchTerminal(): () => boolean {
  if (process.platform !== 'linux') return () => false;
  const had = hasTerminal();
  return () => had && !hasTerminal();
}

/**
 * To be called right before the exit: Node restores the modes of the terminal on its standard descriptors then, and aborts where the terminal
 * is gone. It leaves a descriptor alone that has become another file.
 */
export function leaveTerminal(): void {
  if (process.platform !== 'linux' || hasTerminal()) return;
  for (const descriptor of [0, 1, 2]) {
    // EBADF: it was closed already.
    attempt(() => closeSync(descriptor), undefined);
    openSync('/dev/null', 'r+');
  }
}

/** Field 7 of proc_pid_stat(5). */
function hasTerminal(): boolean {
  return statFields(readStatText('self') ?? '')?.(7) !== '0';
}
