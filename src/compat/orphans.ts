import type { ProcessIdentity } from '../../machines/types.ts';
import { attempt } from '../errors.ts';
import { isAlive } from '../process/identity.ts';
import { shellWord } from '../words.ts';
import { leaderOf, survivorsOf } from './proof.ts';
import type { Claim, StateFiles } from './read-files.ts';

/** What another supervisor left running, that pid.xml names and no unit has: nobody supervises it, and it stays in that file for as long as it lives. */
export interface Orphan {
  readonly name: string;
  /** As recorded; that of a dead leader too. */
  readonly pid: number;
  readonly pgid: number | null;
  /** The leader, or else what it left in its group; not empty. */
  readonly members: readonly ProcessIdentity[];
}

/** Null: nothing lives that may be meant. */
export function orphanOf(files: Pick<StateFiles, 'pid'>, name: string, claim: Claim, uid: number): Orphan | null {
  const leader = leaderOf(claim, uid);
  const members = (leader.ok ? [leader.suspect] : survivorsOf(files, name, claim, uid)).map(({ identity }) => identity);
  return members.length === 0 ? null : { name, pid: claim.pid, pgid: files.pid?.groups.get(name) ?? null, members };
}

/** The services that pid.xml names, those of the names that are excepted left out. */
export function orphansOf(files: StateFiles, isExcepted: (name: string, pid: number) => boolean, uid: number): readonly Orphan[] {
  return [...files.pid?.services ?? []].flatMap(([name, pid]) => (
    isExcepted(name, pid) ? [] : orphanOf(files, name, { pid, writtenWallMs: files.writtenWallMs['pid.xml'], file: 'pid.xml' }, uid) ?? []
  ));
}

export function orphanText({ name, pid, members: [first] }: Orphan): string {
  return `pid.xml names pid ${pid} as service '${name}', which is not configured; ${first?.pid === pid ? 'it' : `pid ${first?.pid} of its group`} goes on without supervision; to end it: sysg stop -s ${shellWord(name)}`;
}

export function stillLiving(orphans: readonly Orphan[]): readonly Orphan[] {
  return orphans.flatMap((orphan) => {
    // What cannot be looked at now may live.
    const members = orphan.members.filter((member) => attempt(() => isAlive(member), true));
    return members.length === 0 ? [] : { ...orphan, members };
  });
}
