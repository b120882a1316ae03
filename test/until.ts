/** Waits for a fact; fails naming it when it does not come true before the deadline. */
export async function until<Fact>(what: string, look: () => Promise<Fact | null | undefined | false> | Fact | null | undefined | false, deadlineMs = 20_000): Promise<Fact> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const fact = await look();
    if (fact !== null && fact !== undefined && fact !== false) return fact;
    if (performance.now() > end) throw new Error(`did not come true in ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
