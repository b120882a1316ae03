import type { ProcessIdentity, SignalName } from '../../machines/types.ts';
import { readAlive } from './identity.ts';
import { signalGroup, signalProcess, signalUnreaped, type Delivery } from './signal.ts';
import type { ProcessStat } from './proc.ts';

/** Signals to the processes of one leader, and questions about them. What goes wrong is reported once per text and never thrown. */
export interface Sender {
  toProcess(target: ProcessIdentity, signal: SignalName): Delivery | 'failed';
  /** The leader alone. `unreaped`: it is our child and its end is not known. */
  toLeader(leader: ProcessIdentity, unreaped: boolean, signal: SignalName): Delivery | 'failed';
  /** The leader's group, when it is unreaped or when it or one of `members` lives in the group. */
  toGroup(leader: ProcessIdentity, unreaped: boolean, members: Iterable<ProcessIdentity>, signal: SignalName): Delivery | 'failed';
  /** What that very process is doing; `null` when it is dead, `unknown` when it cannot be looked at now. */
  look(target: ProcessIdentity): ProcessStat | 'unknown' | null;
  problem(text: string): void;
}

export function makeSender(onProblem: (text: string) => void): Sender {
  const reported = new Set<string>();

  function problem(text: string): void {
    if (reported.has(text)) return;
    reported.add(text);
    onProblem(text);
  }

  function send(target: string, signal: SignalName, deliver: () => Delivery): Delivery | 'failed' {
    try {
      const delivery = deliver();
      if (delivery === 'forbidden') problem(`${target} cannot be signalled: operation not permitted`);
      if (delivery === 'unknown') problem(`${signal} is not a signal of this platform: ${target} got none`);
      return delivery;
    } catch (error) {
      problem(`${target} cannot be signalled: ${String(error)}`);
      return 'failed';
    }
  }

  return {
    problem,
    toProcess: (target, signal) => send(`process ${target.pid}`, signal, () => signalProcess(target, signal)),
    toLeader: (leader, unreaped, signal) => send(`process ${leader.pid}`, signal, () => (
      unreaped ? signalUnreaped(leader.pid, signal) : signalProcess(leader, signal)
    )),
    toGroup: (leader, unreaped, members, signal) => send(`process group ${leader.pid}`, signal, () => (
      unreaped ? signalUnreaped(leader.pid, signal, { group: true }) : signalGroup(leader.pid, [leader, ...members], signal)
    )),
    look(target) {
      try {
        return readAlive(target);
      } catch (error) {
        problem(`process ${target.pid} cannot be looked at: ${String(error)}`);
        return 'unknown';
      }
    },
  };
}
