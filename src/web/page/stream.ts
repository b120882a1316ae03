const AGAIN_MS = 2000;

/**
 * Keeps a stream of events open until the returned function is called. The browser comes back by itself where there was no answer, and not where the answer was a
 * refusal: then the stream is opened anew, where `mayReopen` says so, and otherwise that is asked again.
 */
export function keepOpen(listen: () => EventSource, mayReopen: (stopped: AbortSignal) => Promise<boolean>): () => void {
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

/** A tab that is left for a moment keeps what it has open. */
const UNSEEN_MS = 5000;

/**
 * Has something open while the page is seen, until the returned function is called. A browser has six connections to a server for all its tabs together, and a
 * stream of events takes one for as long as it is open: those of tabs in the background would leave none to the tab in front. `mayClose`: asked before.
 */
export function whileSeen(open: () => () => void, mayClose = (): boolean => true): () => void {
  let close: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = (): void => {
    close?.();
    close = null;
  };
  const look = (): void => {
    clearTimeout(timer);
    if (!document.hidden) close ??= open();
    else timer = setTimeout(() => mayClose() && end(), UNSEEN_MS);
  };
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    document.removeEventListener('visibilitychange', look);
    clearTimeout(timer);
    end();
  };
}
