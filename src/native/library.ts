import type { NativePort } from './port.ts';

/** Types of C as they are passed: `size` and `offset` have 64 bits, a `pointer` is the memory of a buffer or `null`. */
export type ForeignType = 'int' | 'short' | 'size' | 'offset' | 'pointer';

/** The functions of the C library that are used, each with its result first. All of them are in glibc and in musl. */
export const signatures = {
  getsockopt: ['int', 'int', 'int', 'int', 'pointer', 'pointer'],
  ioctl: ['int', 'int', 'size', 'pointer'],
  fcntl: ['int', 'int', 'int', 'int'],
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
  watch: NativePort['watch'];
}
