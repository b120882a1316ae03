// What the talkers said against what their log files hold: no line lost, doubled or torn.
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { numberIn } from './world.mjs';

export const STREAMS = [['talk', 'stdout'], ['talk', 'stderr'], ['burst', 'stdout']];
/** One buffer of the supervisor's: what it has read and not written when it is killed. */
const MOST_LOST_BYTES = 8192;
/** As in the units' configuration. */
const KEPT = 4;
const WHOLE_LINE = /^(\w+\.[0-9]+\.[0-9]+) ([0-9]+)(?: \.| \.{39})$/;

export function watchLines(world) {
  const verified = new Map(STREAMS.map(([unit, stream]) => [`${unit}_${stream}.log`, new Map()]));
  const lost = { kills: 0, lines: 0, bytes: 0 };
  /** What an earlier step had an excuse for stays in the files. */
  const known = new Set();
  const tails = new Set();
  /** Files that were moved away once: the one that follows may begin in the middle of a line, whose beginning is gone when the moved one is. */
  const moved = new Set();
  /** Write into pipes that have no name any more: the next supervisor does not find them (docs/robustness.md). */
  const nameless = new Set();

  /** Problems as sentences. `excuse`: null, `kill` (one buffer of each stream may be gone) or `all`. Gone lines are counted. */
  const check = (excuse) => [...verified].flatMap(([file, last]) => {
    const problems = [];
    // Between the file that was moved and the oldest archive there may be some that are gone.
    if (isFull(file)) rmSync(join(world.logs, `moved.${file}`), { force: true });
    const text = wholeText(join(world.logs, file));
    const seen = new Map();
    let bytes = 0;
    const whole = text.split('\n');
    const tail = whole.pop() ?? '';
    // What comes after a loss may go on in a line that was cut by it.
    if (excuse !== null && tail !== '') tails.add(`${file} ${tail}`);
    for (const [index, line] of whole.entries()) {
      const [, instance, digits] = WHOLE_LINE.exec(line) ?? [];
      if (instance === undefined) {
        // What was cut in the middle is a part of what is lost.
        if (excuse !== null || (index === 0 && moved.has(file))) known.add(`${file} ${line}`);
        if (!known.has(`${file} ${line}`) && ![...tails].some((begin) => `${file} ${line}`.startsWith(begin))) problems.push(`${file} has the line ${JSON.stringify(line.slice(0, 120))}`);
        continue;
      }
      if (nameless.has(instance)) continue;
      const number = Number(digits);
      const before = seen.get(instance);
      // Older archives than are kept are gone with right; while one is put away there is one less.
      const expected = before !== undefined ? before + 1 : isFull(file) ? number : Math.min(number, (last.get(instance) ?? 0) + 1);
      if (number < expected) problems.push(`${file}: line ${number} of ${instance} comes again after ${before}`);
      const gap = `${file} ${instance} ${expected} ${number}`;
      if (number > expected && !known.has(gap)) {
        if (excuse !== null) known.add(gap);
        bytes += (number - expected) * (line.length + 1);
        lost.lines += number - expected;
        if (excuse === null) problems.push(`${file}: lines ${expected} to ${number - 1} of ${instance} are missing`);
      }
      seen.set(instance, number);
    }
    if (excuse === 'kill' && bytes > MOST_LOST_BYTES) problems.push(`${file}: about ${bytes} bytes are missing after a kill of the supervisor`);
    if (bytes > 0) [lost.kills, lost.bytes] = [lost.kills + 1, lost.bytes + bytes];
    for (const [instance, number] of seen) last.set(instance, number);
    return problems;
  });

  return {
    lost, check,
    loseNames: (living) => living.forEach((instance) => nameless.add(instance)),
    /** Of living instances what write(2) has taken, by file and instance: that has to be there in a moment. */
    written: (living) => [...verified.keys()].flatMap((file) => living.filter((instance) => !nameless.has(instance) && file.startsWith(`${instance.split('.')[0]}_`))
      .map((instance) => ({ file, instance, count: numberIn(join(world.dir, 'counts', instance)) }))),
    missing: (written) => written.filter(({ file, instance, count }) => (verified.get(file)?.get(instance) ?? 0) < count)
      .map(({ file, instance, count }) => `${file} ends with line ${verified.get(file)?.get(instance) ?? 0} of ${instance}, which has written ${count}`),
    /** Another program moves a log away, and removes what was moved and archived before. */
    move(file) {
      const path = join(world.logs, file);
      // The supervisor may write to the one that was moved before still.
      if (!existsSync(path)) return;
      for (const name of archives(path)) rmSync(name);
      // A file that was opened anew after a move begins where the one before ended, in the middle of a line perhaps.
      const [first = ''] = readFileSync(path, 'latin1').split('\n', 1);
      if (!WHOLE_LINE.test(first)) known.add(`${file} ${first}`);
      renameSync(path, join(world.logs, `moved.${file}`));
      moved.add(file);
    },
    /** The files are not what they were: what comes is looked at anew. */
    restart: () => verified.forEach((last) => last.clear()),
  };

  function isFull(file) {
    return archives(join(world.logs, file)).length >= KEPT - 1;
  }

  function wholeText(path) {
    const moved = path.replace(/([^/]+)$/, 'moved.$1');
    const parts = () => [moved, ...archives(path), path].map((part) => [part, statSync(part, { throwIfNoEntry: false })?.ino]).filter(([, inode]) => inode !== undefined);
    for (let attempt = 0; ; attempt += 1) {
      try {
        const found = parts();
        const text = found.map(([part]) => (part.endsWith('.gz') ? gunzipSync(readFileSync(part)) : readFileSync(part)).toString('latin1')).join('');
        if (parts().join() === found.join()) return text;
      } catch (error) {
        // A rotation came in between.
        if (attempt > 20) throw error;
      }
    }
  }
}

/** Oldest first; of one in both forms the compressed one. */
function archives(path) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const directory = path.slice(0, path.lastIndexOf('/'));
  const found = new Map();
  for (const entry of existsSync(directory) ? readdirSync(directory) : []) {
    const [, number, ending] = entry.startsWith(`${name}.`) ? (/^([0-9]+)(\.gz)?$/.exec(entry.slice(name.length + 1)) ?? []) : [];
    if (number !== undefined && (ending !== undefined || !found.has(Number(number)))) found.set(Number(number), join(directory, entry));
  }
  return [...found].sort(([one], [other]) => other - one).map(([, entry]) => entry);
}
