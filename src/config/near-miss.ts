/** The candidate that `word` is most likely a misspelling of. */
export function nearMiss(word: string, candidates: readonly string[]): string | null {
  const folded = fold(word);
  const begun = candidates.filter((candidate) => folded.length >= 4 && fold(candidate).startsWith(folded));
  // Half a word that can only become one is more likely that than a misspelling.
  if (begun.length === 1 && begun[0] !== undefined) return begun[0];
  const limit = Math.min(3, Math.max(1, Math.floor(folded.length / 3)));
  let best: { readonly candidate: string; readonly distance: number } | null = null;
  for (const candidate of candidates) {
    const distance = editDistance(folded, fold(candidate), limit);
    if (distance <= limit && (best === null || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate ?? begun[0] ?? null;
}

/** `, did you mean 'restart_policy'?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const candidate = nearMiss(word, candidates);
  return candidate === null ? '' : `, did you mean '${candidate}'?`;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll('-', '_').slice(0, 64);
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  let before: number[] = [];
  let above = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (above[column - 1] ?? 0) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    before = above;
    above = current;
  }
  return above[right.length] ?? limit + 1;
}
