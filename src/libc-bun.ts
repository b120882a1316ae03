/** What is used of bun:ffi. */
export interface Ffi {
  dlopen(file: string, symbols: Readonly<Record<string, ForeignSignature>>): { readonly symbols: Readonly<Record<string, (...passed: never[]) => never>> };
  ptr(view: ArrayBufferView): number;
  readonly read: { i32(pointer: number, offset: number): number };
}

export interface ForeignSignature {
  readonly args: readonly string[];
  readonly returns: string;
}

declare const require: (name: 'bun:ffi') => Ffi;

export function loadFfi(): Ffi {
  return require('bun:ffi');
}

/** Functions of the C library of this process, glibc's or musl's. Throws where one is missing. */
export function openLibc<Functions>({ dlopen }: Ffi, symbols: Readonly<Record<keyof Functions & string, ForeignSignature>>): Functions {
  const musl = `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`;
  try {
    return dlopen('libc.so.6', symbols).symbols as Functions;
  } catch {
    return dlopen(musl, symbols).symbols as Functions;
  }
}
