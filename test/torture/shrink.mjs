/** Leaves out what a script fails without, from its halves down to single actions; the last action stays. Ends after `limitMs` with the shortest that failed. */
export async function shrink(script, fails, limitMs) {
  const end = performance.now() + limitMs;
  let kept = script;
  for (let size = Math.ceil((kept.length - 1) / 2); size >= 1 && performance.now() < end;) {
    let removed = false;
    for (let from = 0; from < kept.length - 1 && performance.now() < end;) {
      const candidate = [...kept.slice(0, from), ...kept.slice(Math.min(from + size, kept.length - 1))];
      if (candidate.length < kept.length && (await fails(candidate))) {
        kept = candidate;
        removed = true;
      } else {
        from += size;
      }
    }
    if (size === 1 && !removed) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return kept;
}
