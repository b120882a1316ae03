export interface Gather<Item> {
  add(items: readonly Item[]): void;
  /** What was gathered is forgotten. */
  clear(): void;
}

/** Hands on what comes within a moment at once, of more than `most` the newest: a flood costs no more than that many in each moment. */
export function makeGather<Item>(take: (items: readonly Item[]) => void, { most, withinMs }: { readonly most: number; readonly withinMs: number }): Gather<Item> {
  let items: Item[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const clear = (): void => {
    clearTimeout(timer);
    timer = undefined;
    items = [];
  };
  return {
    add: (more) => {
      for (const item of more) items.push(item);
      // Not at each call: in a flood all that are kept would be copied for every few that come.
      if (items.length > 2 * most) items = items.slice(-most);
      timer ??= setTimeout(() => {
        const gathered = items.slice(-most);
        clear();
        take(gathered);
      }, withinMs);
    },
    clear,
  };
}
