/** Runs tasks in order, at most `perTurn` in one turn of the event loop; returns what takes a task out that has not begun. */
export type Turns = (task: () => void) => () => void;

export function makeTurns(perTurn: number): Turns {
  const waiting = new Set<() => void>();
  let booked = false;
  const book = () => {
    if (booked || waiting.size === 0) return;
    booked = true;
    setImmediate(takeSome);
  };
  const takeSome = () => {
    booked = false;
    const some = [...first(waiting, perTurn)];
    for (const task of some) waiting.delete(task);
    // Booked before: a task that throws must not strand those behind it.
    book();
    for (const task of some) task();
  };
  return (task) => {
    // A function of its own for each call: the same task may wait twice.
    const entry = () => task();
    waiting.add(entry);
    book();
    return () => void waiting.delete(entry);
  };
}

function* first<Item>(items: Iterable<Item>, count: number): Generator<Item> {
  let taken = 0;
  for (const item of items) {
    if (taken === count) return;
    taken += 1;
    yield item;
  }
}
