/** What `npm run test:model` prints of an exploration. */
export interface Counts {
  readonly states: { readonly length: number };
  readonly transitions: number;
  readonly depth: number;
  readonly complete: boolean;
}

export function counted(title: string, { states, transitions, depth, complete }: Counts): void {
  console.info(`model: ${title}: ${states.length} states, ${transitions} transitions, ${complete ? `all, the farthest ${depth}` : `to a depth of ${depth}`} steps from the beginning`);
}
