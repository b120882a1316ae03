export interface Gather<Item> {
  add(items: readonly Item[]): void;
  /** What was gathered is forgotten. */
  clear(): void;
}

/** Hands on what comes within a moment at once, of more than `most` the newest: a flood costs no more than that many in each moment. */
export function makeGather<Item>(take: (items: readonly Item[]) => void, { most, withinMs }: { readonly most: number; readonly withinMs: number }): Gather<Item> {
  let items: readonly Item[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const clear = (): void => {
    clearTimeout(timer);
    timer = undefined;
    items = [];
  };
  return {
    add: (more) => {
      items = [...items, ...more].slice(-most);
      timer ??= setTimeout(() => {
        const gathered = items;
        clear();
        take(gathered);
      }, withinMs);
    },
    clear,
  };
}
