import { Mismatch } from '../state/decode.ts';
import { all, maybeNumber, maybePid, one, textIn } from './fields.ts';
import { branch, leaf, optional, type XmlElement } from './xml.ts';

export const statuses = ['running', 'skipped', 'exited_successfully', 'exited_with_error', 'stopped'] as const;
export type RecordedStatus = (typeof statuses)[number];

export interface RecordedState {
  readonly status: RecordedStatus;
  readonly pid: number | null;
  readonly exitCode: number | null;
  /** Its number. */
  readonly signal: number | null;
}

/** `state.xml`: the last state by the hash of the service. */
export type StateFile = ReadonlyMap<string, RecordedState>;

/** Throws `Mismatch`. */
export function decodeStateFile(root: XmlElement): StateFile {
  if (root.name !== 'ServiceStateFile') throw new Mismatch('root', '<ServiceStateFile>', `<${root.name}>`);
  return new Map(all(root, 'services').map((entry, index) => {
    const where = `services[${index}]`;
    return [textIn(entry, 'name', where), recordedState(one(entry, 'state', where), `${where}.state`)];
  }));
}

export function encodeStateFile(file: StateFile): XmlElement {
  return branch('ServiceStateFile', [...file].map(([hash, { status, pid, exitCode, signal }]) => branch('services', [
    leaf('name', hash),
    branch('state', [leaf('status', status), ...optional('pid', pid), ...optional('exit_code', exitCode), ...optional('signal', signal)]),
  ])));
}

function recordedState(state: XmlElement, where: string): RecordedState {
  const word = textIn(state, 'status', where);
  const status = statuses.find((known) => known === word);
  if (status === undefined) throw new Mismatch(`${where}.status`, `one of ${statuses.join(', ')}`, word);
  return {
    status, pid: maybePid(state, 'pid', where), exitCode: maybeNumber(state, 'exit_code', where, -(2 ** 31)), signal: maybeNumber(state, 'signal', where, 0),
  };
}
