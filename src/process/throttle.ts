/** Runs tasks in order, at most `perTurn` in one turn of the event loop; returns what takes a task out that has not begun. */
export function makeTurns(perTurn: number): (task: () => void) => () => void {
  const waiting = new Set<() => void>();
  let booked = false;
  const book = () => {
    if (booked || waiting.size === 0) return;
    booked = true;
    setImmediate(takeSome);
  };
  const takeSome = () => {
    booked = false;
    const some: (() => void)[] = [];
    // Not all of them: a thousand may wait.
    for (const task of waiting) if (some.push(task) === perTurn) break;
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

/** Runs work, at most `count` at a time, the rest in order of asking. */
export function makeSlots(count: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((begin) => waiting.push(begin));
    try {
      return await work();
    } finally {
      // Handed on rather than given back: work that is asked for now must not come before what waits.
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
