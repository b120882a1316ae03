import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { errorCode } from '../errors.ts';

/**
 * Open descriptors above 2 that programs started from here would inherit. Node opens its own with close-on-exec: these are what
 * the caller left open. Empty where /proc does not tell.
 */
export function inheritableDescriptors(): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').map(Number).filter((descriptor) => descriptor > 2 && isInheritable(descriptor));
}

/** Closes them, apart from those still needed. To be called once, before anything else opens descriptors. */
export function closeInheritedDescriptors(except: readonly number[]): void {
  for (const descriptor of inheritableDescriptors()) if (!except.includes(descriptor)) closeSync(descriptor);
}

// proc_pid_fdinfo(5): the flags are octal. O_CLOEXEC is 02000000 on every architecture Node runs on.
function isInheritable(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return flags !== undefined && (parseInt(flags, 8) & 0o2000000) === 0;
  } catch (error) {
    // The descriptor of the listing itself is closed by now.
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
