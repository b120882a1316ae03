/** From the element that had the focus outwards. */
let held: readonly Element[] = [];

/**
 * Keyboards and screen readers go on near the place where they were: what had the focus and was moved keeps it; where it was taken away, or
 * cannot be used any more, what is left around it gets the focus instead of the top of the page.
 */
export function keepFocus(): void {
  addEventListener('focusin', ({ target }) => {
    held = [];
    for (let each = target instanceof Element ? target : null; each !== null && each !== document.body; each = each.parentElement) held = [...held, each];
  });
  new MutationObserver((changes) => {
    const [last] = held;
    const { activeElement: active } = document;
    const isNowhere = active === null || active === document.body || active.matches(':disabled');
    if (last === undefined || !isNowhere) return;
    const isMoved = last.isConnected && changes.some(({ removedNodes }) => [...removedNodes].some((node) => node.contains(last)));
    if (last.isConnected && !isMoved && !last.matches(':disabled')) return;
    const place = held.find((each) => each.isConnected && !each.matches(':disabled') && each.getClientRects().length > 0);
    if (place instanceof HTMLElement) focusOn(place);
  }).observe(document.body, { subtree: true, childList: true, attributeFilter: ['disabled'] });
}

/** Of a page that is new: its heading, or where the person has come back to. */
export function focusOn(element: HTMLElement): void {
  if (element.tabIndex < 0) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}
