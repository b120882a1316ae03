import type { Child, Children } from '../../machines/children.ts';

/** Who spawned children are, the latest of those that are gone included: by the time the end of one is reported, the root has forgotten whose it was. */
export function openRoster(present: () => Children, keptGone = 200) {
  const seen = new Map<string, Child>();
  return {
    of: (id: string): Child | null => present().get(id) ?? seen.get(id) ?? null,
    /** To be called with every fact, before anything else asks. */
    see(id: string): void {
      const child = present().get(id);
      if (child !== undefined) seen.set(id, child);
      if (seen.size <= keptGone + present().size) return;
      for (const known of seen.keys()) {
        if (present().has(known)) continue;
        seen.delete(known);
        return;
      }
    },
  };
}
