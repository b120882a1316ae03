/** Signals one process, or the whole group that it leads. Without a pid a signal would go to the group of the tests themselves. */
export function kill(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL', { group = false } = {}): void {
  if (pid === undefined || pid <= 1) throw new Error(`expected the pid of a process, got ${pid}`);
  process.kill(group ? -pid : pid, signal);
}
