import type { NativePort } from './port.ts';

/** Types of C as they are passed: `size` and `offset` have 64 bits, a `pointer` is the memory of a buffer or `null`. */
export type ForeignType = 'int' | 'short' | 'size' | 'offset' | 'pointer';

/** The functions of the C library that are used, each with its result first. All of them are in glibc and in musl. */
export const signatures = {
  getsockopt: ['int', 'int', 'int', 'int', 'pointer', 'pointer'],
  ioctl: ['int', 'int', 'size', 'pointer'],
  fcntl: ['int', 'int', 'int', 'int'],
  syscall: ['offset', 'size', 'size', 'size'],
  madvise: ['int', 'size', 'size', 'int'],
  getrlimit: ['int', 'int', 'pointer'],
  setrlimit: ['int', 'int', 'pointer'],
  waitid: ['int', 'int', 'int', 'pointer', 'int'],
  waitpid: ['int', 'int', 'pointer', 'int'],
  posix_spawn: ['int', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer'],
  posix_spawn_file_actions_init: ['int', 'pointer'],
  posix_spawn_file_actions_destroy: ['int', 'pointer'],
  posix_spawn_file_actions_addopen: ['int', 'pointer', 'int', 'pointer', 'int', 'int'],
  posix_spawn_file_actions_adddup2: ['int', 'pointer', 'int', 'int'],
  posix_spawn_file_actions_addchdir_np: ['int', 'pointer', 'pointer'],
  posix_spawnattr_init: ['int', 'pointer'],
  posix_spawnattr_setflags: ['int', 'pointer', 'short'],
  posix_spawnattr_setsigdefault: ['int', 'pointer', 'pointer'],
  posix_spawnattr_setsigmask: ['int', 'pointer', 'pointer'],
  splice: ['offset', 'int', 'pointer', 'int', 'pointer', 'size', 'int'],
} as const satisfies Readonly<Record<string, readonly [result: ForeignType, ...parameters: ForeignType[]]>>;

type Passed<Type> = Type extends 'pointer' ? ArrayBufferView | null : number;
type Parameters<Signature> = Signature extends readonly [unknown, ...infer Rest] ? { -readonly [Place in keyof Rest]: Passed<Rest[Place]> } : never;

export type ForeignFunctions = { readonly [Name in keyof typeof signatures]: (...passed: Parameters<(typeof signatures)[Name]>) => number };

/** What a backend gives: the C library of this process, called by one of the ways that a runtime of JavaScript has for that. */
export interface CLibrary {
  readonly call: ForeignFunctions;
  /** Of the call before, which returned -1; to be asked at once. */
  errno(): number;
  /** Where the first byte of a buffer is, for as long as the buffer is in use. */
  addressOf(buffer: Uint8Array): bigint;
  watch: NativePort['watch'];
}
