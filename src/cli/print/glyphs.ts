/** One mark for each state of a unit, for terminals. */
export function glyphOf(state: string): string {
  return GLYPHS.get(state) ?? '·';
}

const GLYPHS = new Map([
  ['running', '●'], ['unready', '◐'], ['starting', '◐'], ['stopping', '◑'], ['backoff', '↻'], ['failed', '✗'], ['zombie', '✗'], ['missing', '✗'],
  ['completed', '✓'], ['skipped', '○'], ['stopped', '○'], ['waiting', '◷'],
]);
