/** What a client may choose of a child. */
export interface SpawnRequest {
  readonly name: string;
  readonly command: readonly string[];
  /** Seconds. */
  readonly ttl: number | null;
  readonly logLevel: string | null;
}

/** What is wrong with a request, whichever process sends it; null: nothing. */
export function flawOf({ name, command, ttl, logLevel }: SpawnRequest): string | null {
  const [program] = command;
  if (program === undefined) return 'command: expected a program and its arguments, got an empty list';
  if (program === '') return 'command: expected the name of a program, got an empty one';
  for (const [index, word] of command.entries()) {
    if (word.includes('\0')) return `command: argument ${index} has a NUL in it, which no argument can hold`;
    const bytes = Buffer.byteLength(word);
    if (bytes > LONGEST_ARGUMENT) return `command: argument ${index} has ${bytes} bytes; the kernel takes ${LONGEST_ARGUMENT} at the most`;
  }
  if (Buffer.byteLength(name) > LONGEST_NAME) return `name: expected at most ${LONGEST_NAME} bytes, got ${Buffer.byteLength(name)}`;
  if (/[\u0000-\u001f\u007f]/.test(name)) return `name: expected no control characters, got ${JSON.stringify(name)}`;
  if (logLevel?.includes('\0') === true) return 'log_level: has a NUL in it, which no variable can hold';
  if (ttl === 0) return 'ttl: expected at least 1 second, got 0; leave it out for a child without a limit';
  if (ttl !== null && ttl > LONGEST_TTL) return `ttl: expected at most ${LONGEST_TTL} seconds (100 years), got ${ttl}`;
  return null;
}

/** execve(2), MAX_ARG_STRLEN: 32 pages with the NUL at the end. */
const LONGEST_ARGUMENT = 131_071;
const LONGEST_NAME = 255;
const LONGEST_TTL = 100 * 31_557_600;

/** How many children one parent may have spawned in a second. */
export const SPAWNS_PER_SECOND = 10;

/** Counts the successful requests of each parent within the last second, those for children that have ended since included. */
export function openRate(now: () => number): { isExceeded(parentPid: number): boolean; count(parentPid: number): void } {
  const moments = new Map<number, readonly number[]>();
  const recent = (parentPid: number): readonly number[] => {
    for (const [pid, times] of moments) {
      const kept = times.filter((at) => at > now() - 1000);
      if (kept.length === 0) moments.delete(pid);
      else moments.set(pid, kept);
    }
    return moments.get(parentPid) ?? [];
  };
  return {
    isExceeded: (parentPid) => recent(parentPid).length >= SPAWNS_PER_SECOND,
    count: (parentPid) => void moments.set(parentPid, [...recent(parentPid), now()]),
  };
}
