import { hasCode, osText } from '../errors.ts';
import type { UnitSettlement } from './payloads.ts';

/**
 * `io`: the socket or a runtime file; `serde`: a line that is not of the protocol; `server`: the supervisor answered `Error`;
 * `not-available`: no process listens, or none took the request.
 */
export type ControlErrorKind = 'io' | 'serde' | 'server' | 'not-available';

/** Why a command got no good answer. The messages are systemg 0.33.0's. */
export class ControlError extends Error {
  readonly kind: ControlErrorKind;
  /** The part after the prefix of its kind: the server's own text, the reason of an I/O failure. */
  readonly detail: string;
  /** How each unit fared, where the request asked for settlements and the supervisor knows them. */
  readonly units: readonly UnitSettlement[];

  constructor(kind: ControlErrorKind, detail: string = '', options: ErrorOptions & { readonly units?: readonly UnitSettlement[] } = {}) {
    super(PREFIXES[kind] + (kind === 'not-available' ? '' : detail), options);
    this.name = 'ControlError';
    this.kind = kind;
    this.detail = detail;
    this.units = options.units ?? [];
  }
}

/** An I/O failure in the words of the C library, `Permission denied (os error 13)`, followed by what it was about. */
export function ioError(error: unknown, subject: string = ''): ControlError {
  return new ControlError('io', `${osText(error)}${subject === '' ? '' : ` (${subject})`}`, { cause: error });
}

/**
 * A connection that broke before an answer came. The kernel reports a reset or a broken pipe where the other end was closed before it had read all of the request
 * (unix(7)): nothing of it was carried out, so it may be sent again, as where nobody listened.
 */
export function brokenError(error: unknown, path: string, subject?: string): ControlError {
  return hasCode(error, 'ECONNRESET', 'EPIPE') ? new ControlError('not-available', path, { cause: error }) : ioError(error, subject);
}

/** By its name: parts of a program that were bundled apart have a class each. */
export function isControlError(error: unknown): error is ControlError {
  return error instanceof Error && error.name === 'ControlError';
}

const PREFIXES: Readonly<Record<ControlErrorKind, string>> = {
  io: 'control socket I/O failed: ',
  serde: 'failed to serialise control message: ',
  server: 'supervisor reported error: ',
  'not-available': 'control socket not available',
};
