const AGAIN_MS = 2000;

/**
 * Keeps a stream of events open until the returned function is called. The browser comes back by itself where there was no answer, and not where the answer was a
 * refusal: then the stream is opened anew, where `mayReopen` says so, and otherwise that is asked again.
 */
export function keepOpen(listen: () => EventSource, mayReopen = (_: AbortSignal): Promise<boolean> => Promise.resolve(true)): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = new AbortController();
  const open = (): void => {
    const opened = listen();
    opened.addEventListener('error', () => {
      if (opened.readyState === EventSource.CLOSED) later();
    });
    source = opened;
  };
  const later = (): void => {
    timer = setTimeout(() => void comeBack(), AGAIN_MS);
  };
  const comeBack = async (): Promise<void> => {
    const may = await mayReopen(stop.signal);
    if (stop.signal.aborted) return;
    if (may) open();
    else later();
  };
  open();
  return () => {
    stop.abort();
    clearTimeout(timer);
    source?.close();
  };
}
