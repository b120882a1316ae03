// A log of a service as it lies on the disk: what was moved away, its archives and the file itself, as one sequence of lines.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A line may begin in one file and end in the next; what does not make a whole one together are two pieces. What comes last may not be ended yet. */
export function linesIn(path, wholeLine) {
  const lines = [];
  let rest = '';
  for (const part of partsOf(path)) {
    const [first, ...others] = part.split('\n');
    if (others.length === 0) {
      rest += first;
      continue;
    }
    if (rest === '' || wholeLine.test(rest + first)) lines.push(rest + first);
    else lines.push(rest, first);
    rest = others.pop();
    for (const line of others) lines.push(line);
  }
  return lines;
}

/** Oldest first. */
function partsOf(path) {
  const moved = path.replace(/([^/]+)$/, 'moved.$1');
  const parts = () => [moved, ...archives(path), path].map((part) => [part, statSync(part, { throwIfNoEntry: false })?.ino]).filter(([, inode]) => inode !== undefined);
  for (let attempt = 0; ; attempt += 1) {
    try {
      const found = parts();
      const texts = found.map(([part]) => (part.endsWith('.gz') ? gunzipSync(readFileSync(part)) : readFileSync(part)).toString('latin1'));
      if (parts().join() === found.join()) return texts;
    } catch (error) {
      // A rotation came in between.
      if (attempt > 20) throw error;
    }
  }
}

/** Oldest first; of one in both forms the compressed one. */
export function archives(path) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const directory = path.slice(0, path.lastIndexOf('/'));
  const found = new Map();
  for (const entry of existsSync(directory) ? readdirSync(directory) : []) {
    const [, number, ending] = entry.startsWith(`${name}.`) ? (/^([0-9]+)(\.gz)?$/.exec(entry.slice(name.length + 1)) ?? []) : [];
    if (number !== undefined && (ending !== undefined || !found.has(Number(number)))) found.set(Number(number), join(directory, entry));
  }
  return [...found].sort(([one], [other]) => other - one).map(([, entry]) => entry);
}
