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

/** Field 7 of proc_pid_stat(5). */
function hasTerminal(): boolean {
  return statFields(readStatText('self') ?? '')?.(7) !== '0';
}
