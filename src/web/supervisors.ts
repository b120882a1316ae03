import type { Call } from '../cli/call.ts';

/** A supervisor that the page shows. */
export interface Watched {
  readonly name: string;
  readonly call: Call;
}

/** The supervisors to watch: at present the one of the call. */
export function supervisorsToWatch(call: Call): readonly [Watched, ...Watched[]] {
  return [{ name: 'default', call }];
}
