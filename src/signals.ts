import { constants } from 'node:os';
import type { SignalName } from '../machines/types.ts';

/** The signals of this platform: signal(7). */
export const signalNames = Object.keys(constants.signals) as readonly SignalName[];

export function isSignal(name: string): name is SignalName {
  return Object.hasOwn(numbers, name);
}

/** `hup` and `SIGHUP` are the same; `null` when there is no such signal. */
export function signalNamed(word: string): SignalName | null {
  return signalNames.find((name) => name === `SIG${bareSignal(word)}`) ?? null;
}

/** In capitals and without `SIG`. */
export function bareSignal(word: string): string {
  return word.toUpperCase().replace(/^SIG/, '');
}

/** `null` for none, and for a signal that this platform does not have. */
export function signalNumber(name: SignalName | null): number | null {
  return name === null ? null : (numbers[name] ?? null);
}

export function signalNumbered(number: number): SignalName | null {
  return signalNames.find((name) => numbers[name] === number) ?? null;
}

/** The signal that has ended the command of a shell, by the exit code of that shell: 128 and its number; else null. */
export function signalBehind(code: number | null): SignalName | null {
  return code !== null && code > 128 ? signalNumbered(code - 128) : null;
}

/** How a process ended, by what Status says of it: `exit 3`, `SIGKILL`, `-`. */
export function exitText(exit: { readonly exit_code?: number; readonly signal?: number } | undefined): string {
  if (exit?.exit_code !== undefined) return `exit ${exit.exit_code}`;
  return exit?.signal === undefined ? '-' : (signalNumbered(exit.signal) ?? `signal ${exit.signal}`);
}

const numbers: Readonly<Record<string, number>> = constants.signals;
