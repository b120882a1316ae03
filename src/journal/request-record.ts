import type { SignalName, Trigger } from '../../machines/types.ts';
import type { JournalCause, JournalRecord } from '../wire/payloads.ts';
import type { JournalDraft } from './journal.ts';

/** A request that was accepted and changes something: one record, written before what it changes. */
export interface AcceptedRequest {
  readonly command: 'start' | 'stop' | 'restart' | 'reload' | 'signal' | 'shutdown' | 'handover';
  /** Null: every unit, or the supervisor. */
  readonly unit: string | null;
  readonly asker: Asker;
  /** What else there is to say of it. */
  readonly detail?: JournalRecord['detail'];
}

/** Who asked, as far as that is known. */
export interface Asker {
  readonly uid?: number | undefined;
  readonly pid?: number | undefined;
  /** The signal that the supervisor was sent, where no client asked. */
  readonly signal?: SignalName | undefined;
}

/** The event of these records. They have no `to`: nothing has changed yet. */
export const REQUEST = 'request';

export function requestDraft({ command, unit, asker: { uid, pid, signal }, detail = {} }: AcceptedRequest): Omit<JournalDraft, 'at'> {
  return {
    unit, event: REQUEST, cause: signal === undefined ? { kind: 'command', by: command } : { kind: 'signal', by: signal },
    detail: { ...(signal !== undefined && { command }), ...detail, ...(uid !== undefined && { uid }), ...(pid !== undefined && { pid }) },
  };
}

/** The newest request of each kind. A later command takes a unit's turn away from an earlier one: what a unit does is due to the newest. */
export function openRequestsSeen() {
  const seen = new Map<string | null, Map<string, number>>();
  const newest = (unit: string, commands: readonly AcceptedRequest['command'][]): number | null => {
    const numbers = [seen.get(unit), seen.get(null)].flatMap((requests) => commands.flatMap((command) => requests?.get(command) ?? []));
    return numbers.length === 0 ? null : Math.max(...numbers);
  };
  return {
    note: ({ command, unit }: Pick<AcceptedRequest, 'command' | 'unit'>, seq: number): void => void seen.set(unit, new Map(seen.get(unit)).set(command, seq)),
    /** The number of the request behind what moved a unit; null: none is known, or a request was not the cause. */
    behind: ({ kind, by }: Trigger, unit: string, event: string): number | null => {
      switch (kind) {
        case 'command': return newest(unit, BEHIND[by ?? ''] ?? []);
        case 'reload': return newest(unit, ['reload', 'restart', 'start']);
        case 'boot': return newest(unit, ['start']);
        case 'signal': return newest(unit, ['shutdown']);
        // Started because the unit `by` needs it, or held because of what was ordered of `by`; released because `by` came.
        case 'dependency': {
          const commands = event === 'start' ? ['start', 'restart', 'reload'] as const : event === 'hold' ? ['restart', 'reload', 'stop'] as const : [];
          return by === null ? null : newest(by, commands);
        }
        default: return null;
      }
    },
    /** Whether the request with this number was a start of the unit itself: of one that the command line made, which the machines take in as they do a new configuration. */
    isStartOf: (unit: string, seq: number): boolean => seen.get(unit)?.get('start') === seq,
    forget: (unit: string): void => void seen.delete(unit),
  };
}

const BEHIND: Readonly<Record<string, readonly AcceptedRequest['command'][]>> = {
  start: ['start'], stop: ['stop', 'shutdown'], restart: ['restart'], rollout: ['restart', 'reload'], shutdown: ['shutdown', 'stop'],
};

/** A signal that a person had sent to a unit's process. */
export interface SentSignal {
  readonly signal: string;
  readonly generation: number;
  readonly atMs: number;
  readonly seq: number;
}

/** Why a process ended that was sent a signal: it was killed by the signal, or ended within the time that a program takes to obey one. */
export function causeOfSignalled(sent: SentSignal | null, generation: number, signal: string | null, atMs: number): JournalCause | null {
  if (sent === null || sent.generation !== generation || (sent.signal !== signal && atMs - sent.atMs > OBEYED_MS)) return null;
  return { kind: 'command', seq: sent.seq, by: 'signal' };
}

const OBEYED_MS = 5000;
