import type { Member } from './observer.ts';
import type { Usage } from './usage.ts';

/** What a set of processes used between two readings. */
export interface Consumption {
  /** Clock ticks. */
  readonly cpuTicks: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** By pid: what processes that ended had used, as far as it is not found in the account of the one who waited for them. */
export type Owed = ReadonlyMap<number, Consumption>;

/**
 * What all members used since `before`. The time of a process that ended is in its parent's account once the parent has waited for it (times(2)), with what
 * `before` has seen of it already: that part is taken off, so nothing is counted twice and what came between two readings is not lost.
 *
 * /proc is not read in one instant: a parent may be read just before it waits for a child that is then seen to be gone. What is owed then is taken off at the
 * next reading, and no later, since nobody may ever have waited for that child.
 */
export function consumption(before: ReadonlyMap<number, Member>, now: ReadonlyMap<number, Member>, owed: Owed = new Map()): Consumption & { readonly owed: Owed } {
  const departed = departures(before, now);
  const owedNow = new Map<number, Consumption>();
  const used = { ...NOTHING };
  for (const [pid, member] of now) {
    const earlier = sameProcess(before.get(pid), member);
    const { usage } = member;
    const left = departed.get(pid) ?? NOTHING;
    const owing = earlier === undefined ? NOTHING : (owed.get(pid) ?? NOTHING);
    const [account, accountBefore] = [accountOf(usage), earlier === undefined ? NOTHING : accountOf(earlier.usage)];
    used.cpuTicks += usage.ownTicks - (earlier?.usage.ownTicks ?? 0);
    const rest = { ...NOTHING };
    for (const kind of KINDS) {
      const unexplained = Math.max(0, account[kind] - accountBefore[kind] - owing[kind]);
      used[kind] += Math.max(0, unexplained - left[kind]);
      rest[kind] = Math.max(0, left[kind] - unexplained);
    }
    if (KINDS.some((kind) => rest[kind] > 0)) owedNow.set(pid, rest);
  }
  return { ...used, cpuTicks: Math.max(0, used.cpuTicks), owed: owedNow };
}

const KINDS = ['cpuTicks', 'readBytes', 'writtenBytes'] as const;
const NOTHING = { cpuTicks: 0, readBytes: 0, writtenBytes: 0 };

/** By the nearest ancestor that is still there: what was known of members that are not there any more. */
function departures(before: ReadonlyMap<number, Member>, now: ReadonlyMap<number, Member>): ReadonlyMap<number, Consumption> {
  const departed = new Map<number, Consumption>();
  for (const [pid, member] of before) {
    if (sameProcess(member, now.get(pid)) !== undefined) continue;
    let heir = member.stat.ppid;
    for (let gone = before.get(heir); gone !== undefined && sameProcess(gone, now.get(heir)) === undefined; gone = before.get(heir)) heir = gone.stat.ppid;
    const [sum, { cpuTicks, readBytes, writtenBytes }] = [departed.get(heir) ?? NOTHING, accountOf(member.usage)];
    departed.set(heir, {
      cpuTicks: sum.cpuTicks + member.usage.ownTicks + cpuTicks, readBytes: sum.readBytes + readBytes, writtenBytes: sum.writtenBytes + writtenBytes,
    });
  }
  return departed;
}

/** What is in the account of a process: its own, and that of those it has waited for. Its own CPU time is counted apart. */
function accountOf({ reapedTicks, io }: Usage): Consumption {
  return { cpuTicks: reapedTicks, readBytes: io?.readBytes ?? 0, writtenBytes: io?.writtenBytes ?? 0 };
}

function sameProcess(one: Member | undefined, other: Member | undefined): Member | undefined {
  return one !== undefined && one.stat.startTime === other?.stat.startTime ? one : undefined;
}
