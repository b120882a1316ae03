import { readFileSync } from 'node:fs';
import { attempt } from './errors.ts';
import { loadFfi, openLibc } from './libc-bun.ts';

/**
 * Gives up what the caller blocks, and that it ignores SIGCHLD, as Node does at its start: by SIGCHLD Bun hears of the ends of what it started, and the kernel
 * keeps none of them where that is ignored (wait(2)). A guardian would inherit what is blocked, and never hear of its supervisor's end.
 */
export function takeSignals(): void {
  // No /proc.
  const status = attempt(() => readFileSync('/proc/self/status', 'latin1'), '');
  const maskOf = (name: string): bigint => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  const ignoresChildren = (maskOf('SigIgn') >> BigInt(SIGCHLD - 1) & 1n) === 1n;
  if (!ignoresChildren && maskOf('SigBlk') === 0n) return;
  const ffi = loadFfi();
  const libc = openLibc<Functions>(ffi, {
    signal: { args: ['i32', 'ptr'], returns: 'ptr' },
    sigprocmask: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
  });
  if (ignoresChildren) libc.signal(SIGCHLD, SIG_DFL);
  libc.sigprocmask(SIG_SETMASK, ffi.ptr(new Uint8Array(SIGSET_BYTES)), null);
}

interface Functions {
  readonly signal: (signal: number, handler: null) => number;
  readonly sigprocmask: (how: number, set: number, old: null) => number;
}

const SIGCHLD = 17;
const SIG_DFL = null;
const SIG_SETMASK = 2;
const SIGSET_BYTES = 128;
