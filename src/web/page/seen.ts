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
