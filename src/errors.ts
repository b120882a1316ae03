import { getSystemErrorMap } from 'node:util';

/** What is refused on purpose. The code is stable and for programs, the message is one sentence for people. */
export type RefusalCode =
  | 'usage' | 'needs-root' | 'other-mode' | 'already-running' | 'no-supervisor' | 'unresponsive' | 'unserved' | 'socket'
  | 'refused' | 'config' | 'unknown-unit' | 'not-started' | 'died' | 'timeout' | 'runtime';

export interface Refusal { readonly code: RefusalCode; readonly message: string }

/** What was asked for, or why it was refused. */
export type Result<Value> = ({ readonly ok: true } & Value) | { readonly ok: false; readonly refusal: Refusal };

/** 2 is for invalid arguments, 1 for everything that was understood and not done. */
export function exitCodeOf(refusal: Refusal): number {
  return refusal.code === 'usage' ? 2 : 1;
}

/** The `code` of a system error, such as `ENOENT`; `null` for an error without one. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Whether an error carries one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(errorCode(error) ?? '');
}

/** What the work gives; `otherwise` when it throws an error of the system with one of the codes, without codes when it throws anything. */
export function attempt<Value, Other>(work: () => Value, otherwise: Other, ...codes: readonly string[]): Value | Other {
  try {
    return work();
  } catch (error) {
    if (codes.length === 0 || hasCode(error, ...codes)) return otherwise;
    throw error;
  }
}

/** Why some work could not be done, as the end of a sentence about `what`; null: it was done. */
export function failureOf(what: string, work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return `${what}: ${textOf(error)}`;
  }
}

/** Does some work, and reports what it throws as the end of a sentence about `what`. */
export function reporting(onProblem: (text: string) => void, what: string, work: () => void): void {
  const failure = failureOf(what, work);
  if (failure !== null) onProblem(failure);
}

/** The message of an error. Where a name has several addresses, Node gathers the failures of all in an error that has none itself. */
export function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(textOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** A refusal that needs no code: `reason` is a sentence, or the end of one that the caller begins. */
export interface Refused { readonly ok: false; readonly reason: string }

export function refuse(reason: string): Refused {
  return { ok: false, reason };
}

/** As Rust's standard library words a system error, `No such file or directory (os error 2)`; else the error's own text. */
export function osText(error: unknown): string {
  const known = systemError(error);
  if (known === null) return textOf(error);
  const { errno, name, words } = known;
  return `${wordsOfLibc.get(name) ?? words.charAt(0).toUpperCase() + words.slice(1)} (os error ${errno})`;
}

/** What the system says of an error, in libuv's words; null: it is none of the system. */
function systemError(error: unknown): { readonly errno: number; readonly name: string; readonly words: string } | null {
  const errno = error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  // Bun gives errors of some calls a code and no number.
  const known = getSystemErrorMap();
  const found = known.has(errno) ? errno : [...known.keys()].find((one) => known.get(one)?.[0] === errorCode(error)) ?? 0;
  const [name, words] = known.get(found) ?? [];
  return name === undefined || words === undefined ? null : { errno: -found, name, words };
}

/**
 * Why there is no connection to a host that the sentence has named: `connection refused (ECONNREFUSED)`. An address is in it where it is not the host itself;
 * where the name has several, what became of each.
 */
export function connectFailure(error: unknown, host: string): string {
  if (error instanceof AggregateError && error.message === '') return [...new Set(error.errors.map((one) => connectFailure(one, host)))].join('; ');
  const syscall = error instanceof Error && 'syscall' in error ? error.syscall : null;
  if (syscall === 'getaddrinfo') return `no address was found for the name (${errorCode(error)})`;
  const known = syscall === 'connect' ? systemError(error) : null;
  if (known === null) return textOf(error);
  const address = error instanceof Error && 'address' in error ? error.address : null;
  const where = typeof address !== 'string' || address === host.replaceAll(/[[\]]/g, '') ? '' : ` at ${address}`;
  return `${known.words}${where} (${known.name})`;
}

/** Where libuv has words of its own. */
const wordsOfLibc: ReadonlyMap<string, string> = new Map([
  ['ENOTDIR', 'Not a directory'], ['ELOOP', 'Too many levels of symbolic links'], ['ENAMETOOLONG', 'File name too long'], ['EIO', 'Input/output error'],
]);

export const refusals = {
  usage: (message: string): Refusal => ({ code: 'usage', message }),
  needsRoot: (): Refusal => ({ code: 'needs-root', message: '--sys requires root privileges' }),
  otherMode: (stateDir: string): Refusal => ({
    code: 'other-mode',
    message: `Detected system-mode state at ${stateDir} while running as root without --sys. Re-run with --sys to avoid targeting the wrong runtime.`,
  }),
  alreadyRunning: (pid: number | null): Refusal => ({ code: 'already-running', message: `supervisor already running${pidText(pid)}` }),
  noSupervisor: (stateDir: string, advice: string): Refusal => ({
    code: 'no-supervisor', message: `no supervisor is running (state directory ${stateDir})${advice}`,
  }),
  /** `text` is the supervisor's own. */
  refused: (text: string): Refusal => ({ code: 'refused', message: text }),
  unresponsive: (text: string): Refusal => ({ code: 'unresponsive', message: text }),
  /** A supervisor has the lock and serves nobody, or not yet. */
  unserved: (text: string): Refusal => ({ code: 'unserved', message: text }),
  socket: (text: string): Refusal => ({ code: 'socket', message: text }),
  config: (text: string): Refusal => ({ code: 'config', message: text }),
  /** `hint`: what was probably meant. Other supervisors call every service `all`. */
  unknownUnit: (unit: string, hint = ''): Refusal => (
    { code: 'unknown-unit', message: `Service '${unit}' not found in configuration${unit === 'all' ? "; every service is '*'" : hint}` }
  ),
  runtime: (text: string): Refusal => ({ code: 'runtime', message: text }),
  notStarted: (text: string): Refusal => ({ code: 'not-started', message: text }),
  died: (text: string): Refusal => ({ code: 'died', message: text }),
  timeout: (text: string): Refusal => ({ code: 'timeout', message: text }),
} as const;

export function pidText(pid: number | null): string {
  return pid === null ? '' : ` (pid ${pid})`;
}
