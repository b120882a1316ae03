import { LEAVES, type Leaf } from '../../machines/types.ts';
import type { Deadline, OwnedProcess, ProcessExit, ProcessIdentity, SignalName, UnitRecord } from '../../machines/types.ts';
import { finite, flag, list, Mismatch, object, orNull, text, whole, word, type Decoder } from './decode.ts';

const signalName: Decoder<SignalName> = (value, where) => {
  if (!isSignalName(value)) throw new Mismatch(where, 'a signal name', value);
  return value;
};

export const decodeIdentity = object<{ [Key in keyof ProcessIdentity]: ProcessIdentity[Key] }>({ pid: whole(1), startTime: text, bootId: text });

const owned = object<{ [Key in keyof OwnedProcess]: OwnedProcess[Key] }>({
  generation: whole(0),
  role: word('main', 'skip', 'pre_start'),
  token: text,
  identity: orNull(decodeIdentity),
  adopted: flag,
});

const exit = object<{ [Key in keyof ProcessExit]: ProcessExit[Key] }>({ code: orNull(whole(0)), signal: orNull(signalName) });

const deadline = object<{ [Key in keyof Deadline]: Deadline[Key] }>({
  kind: word('alive', 'stable', 'grace', 'kill', 'backoff', 'task', 'run'),
  at: finite,
});

/** Of earlier versions: `parting` owned no process and waited for the end of a second instance. */
const leaf: Decoder<Leaf> = (value, path) => (value === 'parting' || value === 'settling' ? 'stopped' : word(...LEAVES)(value, path));

/** A unit's record as it was written by `JSON.stringify`. Throws `Mismatch` for anything else. */
export const decodeRecord: Decoder<UnitRecord> = object<{ [Key in keyof UnitRecord]: UnitRecord[Key] }>({
  unit: text,
  hash: text,
  definition: object<{ process: string; policy: string }>({ process: text, policy: text }),
  wanted: word('up', 'down'),
  state: leaf,
  cause: orNull(word('command', 'restart', 'reload', 'hold', 'unready', 'unhealthy', 'limit', 'internal')),
  generation: whole(0),
  process: orNull(owned),
  outcome: word('none', 'skipped', 'completed', 'failed'),
  exit: orNull(exit),
  reason: orNull(text),
  failures: list(finite),
  streak: whole(0),
  restarts: whole(0),
  deadline: orNull(deadline),
  since: finite,
});

function isSignalName(value: unknown): value is SignalName {
  return typeof value === 'string' && /^SIG[A-Z0-9+-]+$/.test(value);
}
