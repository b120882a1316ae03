/** What the kernel offers and Node has no function for. Nothing of it is needed: whoever asks has another way where there is no port. */
export interface NativePort {
  /** The process at the other end of a connected Unix socket and its user, as the kernel noted them at the connect: SO_PEERCRED of unix(7). `null` where it does not say. */
  peerOf(socket: number): { readonly pid: number; readonly uid: number } | null;
  /** Calls back in every turn of the event loop in which the descriptor can be read, as long as it can. What is called must not throw. It keeps no process alive. */
  watch(descriptor: number, onReadable: () => void): Watch;
  /** How many bytes a pipe holds: FIONREAD of pipe(7). */
  held(pipe: number): number;
  /**
   * Moves up to `most` bytes from a pipe into a file, to an offset of it: splice(2). They are at no moment in one of the two and in neither or both, whenever this process
   * is killed. Returns how many it was, or the name of the error: `EAGAIN` where the pipe is empty, `EINVAL` where the file system cannot, or the file is open to append.
   */
  move(pipe: number, file: number, offset: number, most: number): number | string;
  /** Whether writes go to the end of the file, wherever that is by then: O_APPEND of open(2), by F_SETFL of fcntl(2). False where that could not be set. */
  setAppending(file: number, appending: boolean): boolean;
  /** Gives back the pages of this process's program, most of which nothing at rest uses: MADV_DONTNEED of madvise(2). The kernel has them from the file again when they are needed. */
  dropCode(): void;
  /**
   * Starts a program as the leader of a session of its own, with no signal blocked or ignored and an empty standard input: posix_spawn(3), which copies nothing of this
   * process, however large that is. Returns its pid once it is executing, or the name of the error. Nothing else waits for it: the caller calls `reap`.
   */
  spawn(order: SpawnOrder): number | string;
  /** A descriptor that can be read when the process has ended, whoever started it: pidfd_open(2). The caller closes it. `null`: there is no such process, or no descriptor left. */
  openProcess(pid: number): number | null;
  /** A child of this process that has ended and was not waited for, or `null`; it stays as it is. */
  endedChild(): number | null;
  /** Waits for a child that was spawned here. How it ended, or `null` while it has not. */
  reap(pid: number): ChildEnd | null;
}

export interface SpawnOrder {
  /** Absolute; nothing is searched. */
  readonly path: string;
  /** The name first. No string has a NUL in it. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDir: string;
  /** Above 2, both. */
  readonly stdout: number;
  readonly stderr: number;
  /** Further descriptors and the number that each gets, above 2; no number is a descriptor of a later one. */
  readonly extra: readonly { readonly at: number; readonly descriptor: number }[];
  /** The soft limit of open files, at most the hard one; `null` is this process's own. While the call lasts it is the limit of this process, too. */
  readonly softNofile: number | null;
}

/** The signal by its number. */
export type ChildEnd = { readonly code: number } | { readonly signal: number };

export interface Watch {
  pause(): void;
  resume(): void;
  /** The descriptor stays open. */
  close(): void;
}
