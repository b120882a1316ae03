/** The first number from `low` to `high` that `isBefore` is false of, found by halving: it is true of all before that one. */
export function firstNot(isBefore: (number: number) => boolean, low: number, high: number): number {
  let [first, end] = [low, high];
  while (first < end) {
    const middle = Math.floor((first + end) / 2);
    if (isBefore(middle)) first = middle + 1;
    else end = middle;
  }
  return first;
}
