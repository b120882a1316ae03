import { openLibrary, opensAtOnce } from './backend.ts';
import { makeLinuxPort } from './linux.ts';
import type { NativePort } from './port.ts';

/** `null` before it was loaded, and where it cannot be: on another system or processor, or without the optional library. One that costs next to nothing is loaded here. */
export function nativePort(): NativePort | null {
  if (opensAtOnce) void loadNative();
  return port;
}

/**
 * Loads it at most once, and not before what is being done now has been done: a service that is being started does not wait for it. Never rejects:
 * without it everything works in another way.
 */
export function loadNative(): Promise<NativePort | null> {
  loading ??= load();
  return loading;
}

let port: NativePort | null = null;
let loading: Promise<NativePort | null> | null = null;

async function load(): Promise<NativePort | null> {
  // The sizes and numbers are those of these two processors. With SYSG_NATIVE=0 the tests go the other way.
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch) || process.env['SYSG_NATIVE'] === '0') return null;
  if (!opensAtOnce) await new Promise((later) => void setImmediate(later));
  try {
    const opened = openLibrary();
    port = makeLinuxPort(opened instanceof Promise ? await opened : opened);
  } catch {
    // The library is not installed, or not for this machine, or lacks a function.
  }
  return port;
}
