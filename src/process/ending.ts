import { setTimeout } from 'node:timers/promises';
import type { ProcessExit, ProcessIdentity, ProcessOrder, SignalName } from '../../machines/types.ts';
import type { Child } from './children.ts';
import { scan, scanGroups, type ProcessTable, type ScannedProcess } from './scan.ts';
import { isGroupEmpty, makeSender } from './signal.ts';
import { belonging, isMember, remember, type Lineage } from './tree.ts';

export interface EndingInput {
  readonly leader: ProcessIdentity;
  readonly token: string;
  /** The leader as our child; `null` when it is not: then its end is looked for again and again. */
  readonly child: Child | null;
  /** Processes that are someone else's to end. */
  isForeign?(process: ScannedProcess): boolean;
  /** The leader has ended. `null`: its exit status went to another parent. Called once, and not for a stranger that was ordered to end. */
  onExited?(exit: ProcessExit | null): void;
  /** No living process is known to belong to the leader any more. Called once, and nothing after it. */
  onGone(): void;
  /** `gone` does not answer for those who left the group: nobody has searched for them. */
  onUnsearched?(signal: SignalName, groupWasEmpty: boolean): void;
  onProblem(text: string): void;
}

/** The end of a process and of all that comes from it. */
export interface Ending {
  /**
   * A later order takes the place of an earlier one.
   * - `stop`: to the group now, then to each process that a search finds outside of it; `gone` follows a search that finds nothing.
   * - `clear`: the leader ended by itself: to what is left of its group and to the others known; `gone` waits for no search beyond the group.
   * - `kill`: SIGKILL to all, searched for anew each time.
   * - `signal`: to the leader alone, on behalf of a person.
   */
  obey(order: ProcessOrder): void;
  /** Ends the watching: nothing is signalled and nothing called back from then on. */
  detach(): void;
}

/** How often the end of a process that is not our child is looked for. */
const strangerPollMs = 500;
const shortestPauseMs = 10;
const longestPauseMs = 250;

export function makeEnding(input: EndingInput): Ending {
  const { leader, child } = input;
  const lineage: Lineage = { leader, token: input.token, known: new Map() };
  const sender = makeSender(input.onProblem);
  let orders = 0;
  let over = false;
  let strangerEnded = false;
  /** Aborted to end every pause early. */
  let resting = new AbortController();
  /** Settled when what was left of the group at the leader's end is known; `null`: nothing was, or the leader has not ended. */
  let leftovers: Promise<void> | null = null;

  const isUnreaped = () => child !== null && child.isOwn && child.exit === null;

  function hasLeaderEnded(): boolean {
    // The parent of a leader that is not our own child may have been killed before it.
    if (child !== null && (child.isOwn || child.exit === null)) return child.exit !== null;
    strangerEnded ||= sender.look(leader) === null;
    return strangerEnded;
  }

  function pause(forMs: number): Promise<unknown> {
    return setTimeout(forMs, null, { signal: resting.signal }).catch(() => null);
  }

  function wake(): void {
    resting.abort();
    resting = new AbortController();
  }

  /** Begins an order; returns whether another has taken its place. */
  function takeOver(): () => boolean {
    orders += 1;
    const mine = orders;
    wake();
    return () => over || orders !== mine;
  }

  function finish(): void {
    over = true;
    input.onGone();
  }

  /** The processes there are, asked for until the kernel answers; `null` when the order that asked was replaced meanwhile. */
  async function inventory(isStale: () => boolean, look: () => Promise<ProcessTable>): Promise<ProcessTable | null> {
    while (!isStale()) {
      try {
        const table = await look();
        return isStale() ? null : table;
      } catch (error) {
        sender.problem(`the processes cannot be listed: ${String(error)}`);
        await pause(longestPauseMs);
      }
    }
    return null;
  }

  function own(table: ProcessTable, groupIsOurs: boolean): ScannedProcess[] {
    const found = belonging(table, lineage, groupIsOurs);
    return input.isForeign === undefined ? found : found.filter((process) => input.isForeign?.(process) === false);
  }

  function forgetDead(): void {
    for (const [pid, identity] of lineage.known) if (sender.look(identity) === null) lineage.known.delete(pid);
  }

  async function untilDead(isStale: () => boolean): Promise<void> {
    for (let pauseMs = shortestPauseMs; !isStale(); pauseMs = Math.min(longestPauseMs, pauseMs * 1.5)) {
      forgetDead();
      if (hasLeaderEnded() && lineage.known.size === 0) break;
      await pause(pauseMs);
    }
    await leftovers;
  }

  /** Signals everything that belongs, or of that the `group` and the others known, until a search finds nothing. */
  async function pursue(signal: SignalName, scope: 'all' | 'group' = 'all'): Promise<void> {
    const isStale = takeOver();
    if (scope === 'group') await leftovers;
    forgetDead();
    if (isStale()) return;
    const signalled = new Set<string>();
    let groupHasIt = sender.toGroup(leader, isUnreaped(), lineage.known.values(), signal) === 'sent';
    while (!isStale()) {
      if (scope === 'group' && lineage.known.size === 0 && isGroupEmpty(leader.pid)) return finish();
      const groupIsOurs = !hasLeaderEnded();
      const table = await inventory(isStale, scan);
      if (table === null) return;
      const found = own(table, groupIsOurs).filter((process) => scope === 'all' || isMember(process, lineage) || lineage.known.has(process.pid));
      remember(lineage, found);
      for (const process of found) {
        const key = `${process.pid} ${process.startTime}`;
        const identity = { pid: process.pid, startTime: process.startTime, bootId: leader.bootId };
        if (!signalled.has(key) && !(groupHasIt && process.pgrp === leader.pid)) sender.toProcess(identity, signal);
        signalled.add(key);
        // A stopped process acts on a signal when it is continued; SIGKILL alone needs no help.
        if (process.state === 'T' && signal !== 'SIGKILL') sender.toProcess(identity, 'SIGCONT');
      }
      groupHasIt = false;
      if (found.length === 0 && hasLeaderEnded()) return finish();
      await untilDead(isStale);
    }
  }

  async function recordLeftovers(groupIsOurs: boolean): Promise<void> {
    const table = await inventory(() => over, groupIsOurs ? scanGroups : scan);
    if (table !== null) remember(lineage, own(table, groupIsOurs).filter((process) => isMember(process, lineage)));
  }

  /** `now`: in the very turn of the leader's end, so that its group's number is certainly still its group's; else only what proves to belong by itself does. */
  function leaderEnded(now: boolean, exit: ProcessExit | null): void {
    if (!isGroupEmpty(leader.pid)) leftovers = recordLeftovers(now);
    wake();
    input.onExited?.(exit);
  }

  function watchChild(ours: Child): () => void {
    const endedBefore = ours.exit !== null;
    return ours.watch((exit) => leaderEnded(!endedBefore, exit));
  }

  function watchStranger(): () => void {
    const poll = setInterval(() => {
      if (!hasLeaderEnded()) return;
      clearInterval(poll);
      leaderEnded(false, null);
    }, strangerPollMs).unref();
    // While the leader lives its group shows what belongs to it; after the leader's end that must be known.
    if (!hasLeaderEnded()) {
      void inventory(() => over, scan).then((table) => {
        if (table !== null) remember(lineage, own(table, true));
      });
    }
    return () => clearInterval(poll);
  }

  const unwatch = child !== null ? watchChild(child) : input.onExited !== undefined ? watchStranger() : () => undefined;

  return {
    obey(order) {
      if (over) return;
      if (order.type === 'signal') return void sender.toLeader(leader, isUnreaped(), order.signal);
      if (child === null) unwatch();
      if (order.type === 'kill') return void pursue('SIGKILL');
      if (order.type === 'stop' || !hasLeaderEnded()) return void pursue(order.signal);
      forgetDead();
      const nothingLeft = leftovers === null && lineage.known.size === 0;
      if (nothingLeft) finish();
      else void pursue(order.signal, 'group');
      input.onUnsearched?.(order.signal, nothingLeft);
    },
    detach() {
      over = true;
      unwatch();
      wake();
    },
  };
}
