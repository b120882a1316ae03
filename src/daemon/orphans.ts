import type { Clock } from '../clock.ts';
import { stillLiving, type Orphan } from '../compat/orphans.ts';
import { endProcess } from '../process/end-process.ts';
import { takenOverToken } from '../state/recovery.ts';

export type Orphans = ReturnType<typeof openOrphans>;

export function openOrphans(found: readonly Orphan[], outside: EndingOutside & { readonly onEnded: () => void }) {
  const living = (): readonly Orphan[] => stillLiving(found);
  return {
    /** Those of which something lives now, and that of them. */
    living,
    /** Ends what a person names. Resolves to whether everything of it was seen dead; null: there is none of that name. */
    end: (name: string): Promise<boolean> | null => {
      const orphan = living().find((one) => one.name === name);
      return orphan === undefined ? null : endOrphan(orphan, outside).finally(outside.onEnded);
    },
  };
}

export interface EndingOutside {
  readonly clock: Clock;
  readonly onProblem: (text: string) => void;
}

/** As the process of a service is ended that says nothing about its end. */
export async function endOrphan({ members }: Pick<Orphan, 'members'>, outside: EndingOutside): Promise<boolean> {
  const ended = await Promise.all(members.map((leader) => endProcess({ ...outside, leader, token: takenOverToken(), signal: 'SIGTERM', graceMs: GRACE_MS, mostKills: 4 })));
  return !ended.includes(false);
}

/** The default of stop_timeout. */
const GRACE_MS = 10_000;
