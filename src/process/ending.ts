import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ProcessExit, ProcessIdentity, ProcessOrder, SignalName } from '../../machines/types.ts';
import { attempt, type Refused } from '../errors.ts';
import type { Child } from './children.ts';
import { hasMark } from './marks.ts';
import { isLiving, readArguments } from './proc.ts';
import { isCertain, lookAt, scan, scanGroups, scanMarked, type ProcessTable, type ScannedProcess } from './scan.ts';
import { isGroupEmpty, Sender } from './signal.ts';
import { belonging, closeLineage, isMember, keyOf, openLineage, remember } from './tree.ts';
import { watchEnd } from './watch-end.ts';

export interface EndingInput {
  readonly leader: ProcessIdentity;
  readonly token: string;
  /** The leader as our child; `null` when it is not: then its end is looked for again and again. */
  readonly child: Child | null;
  /** It enters another control group by itself: its own one says nothing of it. */
  readonly leavesMark?: boolean;
  /** The stop signal goes to the leader alone: all others wait for SIGKILL. */
  readonly sparesOthers?: boolean;
  /** What a stop runs in place of the signal; ended by `signal`. */
  stopCommand?(signal: AbortSignal): Promise<{ readonly ok: true } | Refused>;
  /** The leader has ended. `null`: its exit status went to another parent. Called once, and not for a stranger that was ordered to end. */
  onExited?(exit: ProcessExit | null): void;
  /**
   * No living process belongs to the leader any more. Called once, and nothing after it. `left`: what the leader left running when it ended by
   * itself, in words.
   */
  onGone(left: readonly string[]): void;
  onProblem(text: string): void;
}

/** The end of a process and of all that comes from it. */
export interface Ending {
  /**
   * A later order takes the place of an earlier one.
   * - `stop`: to the group, then to each process that a search finds outside of it; `gone` follows searches that agree on finding nothing.
   * - `clear`: the leader ended by itself: the same for what it left.
   * - `kill`: SIGKILL to all, searched for anew each time.
   * - `signal`: to the leader alone, on behalf of a person.
   */
  obey(order: ProcessOrder): void;
  /** Ends the watching: nothing is signalled and nothing called back from then on. */
  detach(): void;
}

const shortestPauseMs = 10;
const longestPauseMs = 250;
/** How many searches in a row have to find nothing, unless one was certain to see every process; and the time between them. */
const agreeingSearches = 3;
const betweenSearchesMs = 30;
/** When, after a start, the descendants are noted: while their parents live they can be known without any mark of their own. */
const noteAfterMs = [100, 1000, 5000];

export function makeEnding(input: EndingInput): Ending {
  const { leader, child } = input;
  const lineage = openLineage(leader, input.token);
  const sender = new Sender(input.onProblem);
  let orders = 0;
  let over = false;
  let strangerEnded = false;
  /** What ends each pause early. */
  const pauses = new Set<() => void>();
  /** Ends the stop command that runs. */
  let callOffCommand: AbortController | null = null;
  /** The kernel has taken the control groups away when nothing of them lived: nothing is in them and nothing will be. */
  let isVacated = false;
  let endedByItself = false;
  /** What the leader left running at its own end, in words. */
  let left: readonly string[] = [];
  /** Settled when what was left of the group at the leader's end is known; `null`: nothing was, or the leader has not ended. */
  let leftovers: Promise<void> | null = null;

  const isUnreaped = () => child !== null && child.isOwn && child.exit === null;

  function hasLeaderEnded(): boolean {
    // The parent of a leader that is not our own child may have been killed before it.
    if (child !== null && (child.isOwn || child.exit === null)) return child.exit !== null;
    strangerEnded ||= sender.look(leader) === null;
    return strangerEnded;
  }

  function pause(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, forMs);
      pauses.add(end);
    });
  }

  function wake(): void {
    for (const end of pauses) end();
  }

  /** Begins an order; returns whether another has taken its place. */
  function takeOver(): () => boolean {
    orders += 1;
    const mine = orders;
    callOffCommand?.abort();
    wake();
    return () => over || orders !== mine;
  }

  /** Where the processes have a control group of their own, that group, at once; else `null`. */
  function searchGroup(): ProcessTable | null {
    const named = [leader.pid, ...lineage.known.keys()];
    if (isVacated) return lookAt(named);
    const table = input.leavesMark === true ? null : scanMarked(input.token, named, hasLeaderEnded());
    // One that lives outside of it was moved by root, and so may be what it started.
    isVacated = table !== null && isCertain(table) && ![...table.values()].some(isLiving);
    return table;
  }

  /** The control group, or all processes there are. */
  async function search(everywhere: () => Promise<ProcessTable> = scan): Promise<ProcessTable> {
    return searchGroup() ?? everywhere();
  }

  function finish(): void {
    over = true;
    closeLineage(lineage);
    input.onGone(left);
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

  /** Notes those that belong to a living leader, as well as that can be done now. Returns where they were found, `null` when that says nothing. */
  async function note(look: () => Promise<ProcessTable>): Promise<ProcessTable | null> {
    if (over || hasLeaderEnded()) return null;
    const table = await look().catch(() => null);
    return over || hasLeaderEnded() ? null : noteIn(table);
  }

  /** As `note`, without waiting; `null` where there is no control group. */
  function noteGroup(): ProcessTable | null {
    return over || hasLeaderEnded() ? null : noteIn(attempt(searchGroup, null));
  }

  function noteIn(table: ProcessTable | null): ProcessTable | null {
    if (table !== null) remember(lineage, belonging(table, lineage, true));
    return table;
  }

  function forgetDead(): void {
    for (const [pid, identity] of lineage.known) if (sender.look(identity) === null) lineage.known.delete(pid);
  }

  /** Until all that is known is dead, or the leader is and some of the rest has not been signalled. */
  async function untilDead(isStale: () => boolean, signalled: ReadonlySet<string>): Promise<void> {
    for (let pauseMs = shortestPauseMs; !isStale(); pauseMs = Math.min(longestPauseMs, pauseMs * 1.5)) {
      forgetDead();
      if (hasLeaderEnded() && [...lineage.known.values()].every((identity) => !signalled.has(keyOf(identity)))) break;
      await pause(pauseMs);
    }
    await leftovers;
  }

  /** Those that another one of them has started are not named. */
  function noteLeft(found: readonly ScannedProcess[]): void {
    const pids = new Set(found.map(({ pid }) => pid));
    if (left.length === 0) left = found.filter(({ ppid }) => !pids.has(ppid)).map(inWords);
  }

  /** Signals everything that belongs, or the leader alone, until searches find nothing. */
  async function pursue(signal: SignalName): Promise<void> {
    const isStale = takeOver();
    const toAll = input.sparesOthers !== true || signal === 'SIGKILL';
    // Searched just before the signal: the first search after it would find the same. Without a wait where that is possible: of a hundred that are
    // ended together the first end while the last are searched for.
    let noted = signal === 'SIGKILL' ? null : noteGroup() ?? await Promise.all([note(search), leftovers]).then(([table]) => table);
    forgetDead();
    if (isStale()) return;
    // These live when the signal is sent. What a living leader begins after that is its answer to the signal, and is left to the leader.
    const before = new Set([leader, ...lineage.known.values()].map(keyOf));
    const signalled = new Set<string>();
    const groupHasIt = toAll && sender.toGroup(leader, isUnreaped(), lineage.known.values(), signal) === 'sent';
    if (!toAll && !hasLeaderEnded()) sender.toLeader(leader, isUnreaped(), signal);
    // All else comes after the signals to the others.
    await leftovers;
    let searches = 0;
    let emptySearches = 0;
    while (!isStale()) {
      // A control group answers at once: others have their turn before it is asked again.
      if (searches > 0) await nextTurn();
      searches += 1;
      const groupIsOurs = !hasLeaderEnded();
      const table: ProcessTable | null = noted ?? await inventory(isStale, search);
      if (table === null) return;
      noted = null;
      const found = belonging(table, lineage, groupIsOurs);
      remember(lineage, found);
      if (endedByItself) noteLeft(found);
      for (const process of toAll ? found : []) {
        if (signal !== 'SIGKILL' && !hasLeaderEnded() && !before.has(keyOf(process))) continue;
        const identity = { pid: process.pid, startTime: process.startTime, bootId: leader.bootId };
        if (!signalled.has(keyOf(process)) && !(groupHasIt && process.pgrp === leader.pid && before.has(keyOf(process)))) sender.toProcess(identity, signal);
        signalled.add(keyOf(process));
        // A stopped process acts on a signal when it is continued; SIGKILL alone needs no help.
        if (process.state === 'T' && signal !== 'SIGKILL') sender.toProcess(identity, 'SIGCONT');
      }
      if (found.length > 0 || !hasLeaderEnded()) {
        emptySearches = 0;
        await untilDead(isStale, signalled);
        continue;
      }
      // A process that starts its successor and ends may be missed by any one search.
      emptySearches += 1;
      if (isCertain(table) || emptySearches >= agreeingSearches) return finish();
      await pause(betweenSearchesMs);
    }
  }

  /** Runs the stop command; the signal goes to what is left when the leader has ended, or to everything when the command fails. */
  async function stopByCommand(run: NonNullable<EndingInput['stopCommand']>, signal: SignalName): Promise<void> {
    const isStale = takeOver();
    const mine = new AbortController();
    callOffCommand = mine;
    await note(search);
    if (isStale()) return;
    const result = await run(mine.signal);
    if (isStale()) return;
    if (!result.ok) sender.problem(`stop_command ${result.reason}: ${signal} is sent instead`);
    while (result.ok && !hasLeaderEnded() && !isStale()) await pause(longestPauseMs);
    if (!isStale()) await pursue(signal);
  }

  async function recordLeftovers(groupIsOurs: boolean): Promise<void> {
    const table = await inventory(() => over, () => search(groupIsOurs ? scanGroups : scan));
    if (table !== null) remember(lineage, belonging(table, lineage, groupIsOurs).filter((process) => isMember(process, lineage)));
  }

  /** `now`: in the very turn of the leader's end, so that its group's number is certainly still its group's; else only what proves to belong by itself does. */
  function leaderEnded(now: boolean, exit: ProcessExit | null): void {
    if (!isGroupEmpty(leader.pid)) leftovers = recordLeftovers(now);
    wake();
    input.onExited?.(exit);
  }

  function watchChild(ours: Child): () => void {
    const endedBefore = ours.exit !== null;
    // A control group needs no notes. Where the leader has ended a note does nothing.
    if (input.leavesMark === true || !hasMark(input.token)) for (const afterMs of noteAfterMs) setTimeout(() => void note(scanGroups), afterMs).unref();
    return ours.watch((exit) => leaderEnded(!endedBefore, exit));
  }

  function watchStranger(): () => void {
    const unwatchEnd = watchEnd(leader.pid, hasLeaderEnded, () => leaderEnded(false, null));
    // While the leader lives its group shows what belongs to it; after the leader's end that must be known.
    if (!hasLeaderEnded()) void inventory(() => over, search).then(noteIn);
    return unwatchEnd;
  }

  const unwatch = child !== null ? watchChild(child) : input.onExited !== undefined ? watchStranger() : () => undefined;

  return {
    obey(order) {
      if (over) return;
      if (order.type === 'signal') return void sender.toLeader(leader, isUnreaped(), order.signal);
      if (child === null) unwatch();
      if (order.type === 'kill') return void pursue('SIGKILL');
      endedByItself = order.type === 'clear';
      const command = order.type === 'stop' && !hasLeaderEnded() ? input.stopCommand : undefined;
      void (command === undefined ? pursue(order.signal) : stopByCommand(command, order.signal));
    },
    detach() {
      over = true;
      closeLineage(lineage);
      unwatch();
      wake();
    },
  };
}

function inWords({ pid }: ScannedProcess): string {
  const command = (readArguments(pid) ?? []).join(' ').replaceAll(/[^\x20-\x7e]/g, '?');
  return command === '' ? `pid ${pid}` : `"${command.length > 60 ? `${command.slice(0, 60)}…` : command}" (pid ${pid})`;
}
