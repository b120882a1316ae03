import type { Key } from './keys.ts';

/** The first visible line after a key, in a text of `length` lines of which `height` are visible. */
export function scrolled(top: number, key: Key, length: number, height: number): number {
  const step = steps(key, height);
  const most = Math.max(0, length - height);
  if (key === 'g' || key === 'home') return 0;
  if (key === 'G' || key === 'end') return most;
  return Math.min(most, Math.max(0, top + step));
}

/** How far a key moves, down being positive; 0 for keys that do not move. */
export function steps(key: Key, height: number): number {
  switch (key) {
    case 'down': case 'j': case 'tab': return 1;
    case 'up': case 'k': case 'shift-tab': return -1;
    case 'page-down': return Math.max(1, height - 1);
    case 'page-up': return -Math.max(1, height - 1);
    case 'ctrl-d': return Math.max(1, Math.floor(height / 2));
    case 'ctrl-u': return -Math.max(1, Math.floor(height / 2));
    default: return 0;
  }
}
