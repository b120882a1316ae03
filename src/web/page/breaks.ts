export type Point<Value> = readonly [at: number, value: Value];

/** With a point of no value at each start between two others: what one process took is not joined to what the next one takes. Both by time, `starts` too. */
export function brokenAt(points: readonly Point<number>[], starts: readonly number[]): readonly Point<number | null>[] {
  const [first = [Infinity], last = [-Infinity]] = [points[0], points.at(-1)];
  const breaks = starts.filter((at) => at > first[0] && at < last[0]).map((at): Point<null> => [at, null]);
  return [...points, ...breaks].toSorted(([one], [other]) => one - other);
}
