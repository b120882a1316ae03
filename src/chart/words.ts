/** A guard or action as it stands in a chart: a name, or a name with parameters. Functions stand for themselves. */
export type Reference = string | { readonly type: string; readonly params?: unknown } | ((...args: never[]) => unknown);

/** `verdictIs {verdict: 'retry'}` → `verdict is retry`; parameters that are worked out when it happens are left out. */
export function wordsOf(reference: Reference): string {
  if (typeof reference === 'function') return combined(reference) ?? humanise(reference.name === '' ? 'function' : reference.name);
  if (typeof reference === 'string') return PHRASES[reference] ?? humanise(reference);
  const values = plainValues(reference.params);
  return [PHRASES[reference.type] ?? humanise(reference.type), ...values.map(String)].join(' ');
}

/** The name under which a guard or action is found again in `setup()`. */
export function nameOf(reference: Reference): string {
  if (typeof reference === 'string') return reference;
  return typeof reference === 'function' ? reference.name || 'function' : reference.type;
}

/** Values of the parameters that are written down in the chart, in their order. */
export function plainValues(params: unknown): readonly (string | number | boolean)[] {
  if (typeof params !== 'object' || params === null) return [];
  return Object.values(params).filter((value) => ['string', 'number', 'boolean'].includes(typeof value));
}

/** Where camel case alone does not read as a sentence. */
const PHRASES: Readonly<Record<string, string>> = {
  plan: 'set deadline', note: 'enter', enter: 'enter', dropTickets: 'close tickets of', writeRecord: 'write ledger', endRun: 'end run,', choose: 'ask for',
};

function humanise(name: string): string {
  return name.replaceAll(/[._-]+/g, ' ').replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
}

/** XState's `and`, `or` and `not` are functions that carry their guards. */
function combined(reference: (...args: never[]) => unknown): string | null {
  if (!('guards' in reference) || !Array.isArray(reference.guards)) return null;
  const parts = reference.guards.map((guard: Reference) => wordsOf(guard));
  return 'check' in reference && reference.name === 'not' ? `not ${parts.join(' ')}` : parts.join(reference.name === 'or' ? ' or ' : ' and ');
}
