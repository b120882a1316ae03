import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const kept = 3;

/** Copies a damaged file beside itself as `<file>.corrupt-<n>`, the newest three of which stay. Returns the copy's path; throws what the file system says. */
export function quarantine(path: string): string {
  const directory = dirname(path);
  const prefix = `${basename(path)}.corrupt-`;
  const numbers = readdirSync(directory)
    .filter((name) => name.startsWith(prefix) && /^[0-9]+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
  const copy = join(directory, `${prefix}${(numbers.at(-1) ?? 0) + 1}`);
  for (const number of numbers.slice(0, Math.max(0, numbers.length - kept + 1))) rmSync(join(directory, `${prefix}${number}`), { force: true });
  copyFileSync(path, copy);
  return copy;
}
