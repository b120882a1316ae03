import { readdirSync } from 'node:fs';
import { loadFfi, openLibc } from '../libc-bun.ts';
import { signatures, type CLibrary, type ForeignFunctions, type ForeignType } from './library.ts';
import { watch } from './readiness-bun.ts';

export const opensAtOnce = true;

/** By bun:ffi, which is in the executable. Throws where the C library is another one. */
export function openLibrary(): CLibrary {
  const ffi = loadFfi();
  const bound = Object.entries(signatures).map(([name, [result, ...parameters]]) => [name, { args: parameters.map((type) => types[type]), returns: types[result] }] as const);
  type Raw = Readonly<Record<string, (...passed: readonly (number | null)[]) => number>> & { __errno_location(): number };
  const raw = openLibc<Raw>(ffi, Object.fromEntries([...bound, ['__errno_location', { args: [], returns: 'ptr' }]]));
  // Of an empty buffer there is no pointer to be had.
  const passable = (value: number | ArrayBufferView | null): number | null => (ArrayBuffer.isView(value) ? (value.byteLength === 0 ? null : ffi.ptr(value)) : value);
  const call = Object.fromEntries(bound.map(([name]) => [name, (...passed: readonly (number | ArrayBufferView | null)[]) => Number(raw[name]?.(...passed.map(passable)))]));
  // Node's libuv does the same at its start: what posix_spawn(3) starts must not inherit what a guardian or a command has passed on, and hold it open.
  for (const descriptor of readdirSync('/proc/self/fd').map(Number)) if (descriptor > 2) call['fcntl']?.(descriptor, F_SETFD, FD_CLOEXEC);
  return {
    call: call as ForeignFunctions,
    errno: () => ffi.read.i32(raw.__errno_location(), 0),
    addressOf: (buffer) => BigInt(ffi.ptr(buffer)),
    watch: (descriptor, onReadable) => {
      const watching = watch(descriptor, 'read', onReadable);
      return { pause: () => watching.change('none'), resume: () => watching.change('read'), close: () => watching.end() };
    },
  };
}

/** Of fcntl(2). */
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const types: Readonly<Record<ForeignType, string>> = { int: 'i32', short: 'i16', size: 'u64', offset: 'i64', pointer: 'ptr' };
