/** What is refused on purpose. The code is stable and for programs, the message is one sentence for people. */
export type RefusalCode =
  | 'usage' | 'needs-root' | 'other-mode' | 'already-running' | 'no-supervisor' | 'unresponsive' | 'socket'
  | 'refused' | 'config' | 'unknown-unit' | 'not-started' | 'died' | 'timeout' | 'runtime';

export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

/** 2 is for arguments that mean nothing, 1 for everything that was understood and not done. */
export function exitCodeOf(refusal: Refusal): number {
  return refusal.code === 'usage' ? 2 : 1;
}

export const refusals = {
  usage: (message: string): Refusal => ({ code: 'usage', message }),
  needsRoot: (): Refusal => ({ code: 'needs-root', message: '--sys requires root privileges' }),
  otherMode: (stateDir: string): Refusal => ({
    code: 'other-mode',
    message: `Detected system-mode state at ${stateDir} while running as root without --sys. Re-run with --sys to avoid targeting the wrong runtime.`,
  }),
  alreadyRunning: (pid: number | null): Refusal => ({ code: 'already-running', message: `supervisor already running${pidText(pid)}` }),
  noSupervisor: (stateDir: string): Refusal => ({
    code: 'no-supervisor', message: `no supervisor is running (state directory ${stateDir}); start one with: sysg start --daemonize`,
  }),
  /** `text` is the supervisor's own. */
  refused: (text: string): Refusal => ({ code: 'refused', message: text }),
  unresponsive: (text: string): Refusal => ({ code: 'unresponsive', message: text }),
  socket: (text: string): Refusal => ({ code: 'socket', message: text }),
  config: (text: string): Refusal => ({ code: 'config', message: text }),
  unknownUnit: (unit: string): Refusal => ({ code: 'unknown-unit', message: `Service '${unit}' not found in configuration` }),
  runtime: (text: string): Refusal => ({ code: 'runtime', message: text }),
  notStarted: (text: string): Refusal => ({ code: 'not-started', message: text }),
  died: (text: string): Refusal => ({ code: 'died', message: text }),
  timeout: (text: string): Refusal => ({ code: 'timeout', message: text }),
} as const;

function pidText(pid: number | null): string {
  return pid === null ? '' : ` (pid ${pid})`;
}
