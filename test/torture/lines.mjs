// What the talkers said against what their log files hold: no line lost, doubled or torn.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { archives, linesIn } from './log-parts.mjs';
import { isMoved, numberIn } from './world.mjs';

const STREAMS = [['talk', 'stdout'], ['talk', 'stderr'], ['burst', 'stdout']];
/** One buffer of the supervisor's: what it has read and not written when it is killed, where no native port moves it. */
const MOST_LOST_BYTES = isMoved ? 0 : 8192;
/** As in the units' configuration. */
const KEPT = 4;
/** What a talker may have said since it noted its count. */
const UNCOUNTED = 15;
const WHOLE_LINE = { stdout: /^((?:talk|burst)\.[0-9]+\.[0-9]+) ([0-9]+) \.{39}$/, stderr: /^(talk\.[0-9]+\.[0-9]+) ([0-9]+) \.$/ };

/**
 * An instance is `<unit>.<pid>.<random>`, and is known here by `<unit>.<pid>`. Something may be missing only of what was said before the end of a step that
 * has an excuse; a piece of a line may be there only in the place of a line that may be missing.
 */
export function watchLines(world) {
  /** Of each file the last number of each instance. */
  const verified = new Map(STREAMS.map(([unit, stream]) => [`${unit}_${stream}.log`, new Map()]));
  /** Instances of which each file had lines at the last look: of others all may have been put away since. */
  const present = new Map();
  const lost = { kills: 0, lines: 0, bytes: 0 };
  /** The last number that may be missing of what each has said. */
  const mayMiss = new Map();
  /** Died while nobody else held their pipes: what was in there is gone. */
  const cutShort = new Set();
  /** Were dead at the end of an earlier step. */
  const closed = new Set();
  const counted = new Set();
  /** Files whose beginning was taken away: the rest may begin in the middle of a line. */
  const beheaded = new Set();

  /** Streams that go where no supervisor looks, or no later one, as `<file> <unit>.<pid>`. */
  const nameless = new Set();

  const isMissable = (file, instance, number) => number <= (mayMiss.get(keyOf(instance)) ?? 0) || nameless.has(`${file} ${keyOf(instance)}`);

  /** Problems as sentences. `excuse`: null, `kill` (one buffer of each stream may be gone), `all` or `power`. Gone lines are counted. */
  const check = (excuse) => [...verified].flatMap(([file, last]) => {
    const problems = [];
    if (isFull(file)) behead(file);
    const seen = new Map();
    let [before, pieces, bytes] = [null, [], 0];

    const judgePieces = (next, expected) => {
      for (const piece of before === null && beheaded.has(file) ? [] : pieces) {
        if (next !== null && isPieceOf(piece, next.instance, expected, next.number - 1)) continue;
        // Between two instances: of the end of the one before, or of another that has left nothing whole.
        const others = before !== null && before.instance === next?.instance ? [] : instances().filter((one) => one === before?.instance || !seen.has(one));
        const isOfOther = (one) => {
          const from = one === before?.instance ? before.number + 1 : 1;
          return (isMissable(file, one, from) || cutShort.has(keyOf(one))) && isPieceOf(piece, one, from, from + 5000);
        };
        if (!others.some(isOfOther)) problems.push(`${file} has the line ${JSON.stringify(piece.slice(0, 120))} between ${nameOf(before)} and ${nameOf(next)}`);
      }
      pieces = [];
    };

    const wholeLine = WHOLE_LINE[file.includes('stderr') ? 'stderr' : 'stdout'];
    for (const line of linesIn(join(world.logs, file), wholeLine)) {
      const [, instance, digits] = wholeLine.exec(line) ?? [];
      if (instance === undefined) {
        pieces.push(line);
        continue;
      }
      const number = Number(digits);
      // Older archives than are kept are gone with right; while one is put away there is one less.
      const expected = seen.has(instance) ? seen.get(instance) + 1 : before === null && isFull(file) ? number : Math.min(number, (last.get(instance) ?? 0) + 1);
      judgePieces({ instance, number }, seen.has(instance) ? expected : 1);
      if (number < expected) problems.push(`${file}: line ${number} of ${instance} comes again after ${expected - 1}`);
      if (number > expected) {
        if (!isMissable(file, instance, number - 1)) problems.push(`${file}: lines ${expected} to ${number - 1} of ${instance} are missing`);
        const gap = `${file} ${instance} ${number}`;
        if (!counted.has(gap)) {
          bytes += (number - expected) * (line.length + 1);
          lost.lines += number - expected;
        }
        counted.add(gap);
      }
      seen.set(instance, number);
      before = { instance, number };
    }
    judgePieces(null, 0);
    if (excuse === 'kill' && bytes > MOST_LOST_BYTES) problems.push(`${file}: about ${bytes} bytes are missing after a kill of the supervisor`);
    if (bytes > 0) [lost.kills, lost.bytes] = [lost.kills + 1, lost.bytes + bytes];
    present.set(file, seen);
    for (const [instance, number] of seen) last.set(instance, Math.max(number, last.get(instance) ?? 0));
    return problems;
  });

  /** Of what lives, and of what has died since the step before, what write(2) has taken: that has to be there in a moment. */
  const written = () => instances().filter((instance) => !closed.has(keyOf(instance)))
    .flatMap((instance) => [...verified.keys()].filter((file) => file.startsWith(`${instance.split('.')[0]}_`))
      .map((file) => ({ file, instance, count: numberIn(join(world.said, 'counts', instance)) })));

  return {
    lost, check, written,
    missing: (all) => all.filter(({ file, instance, count }) => (verified.get(file).get(instance) ?? 0) < count && !isMissable(file, instance, count)
      && !cutShort.has(keyOf(instance)) && (present.get(file).has(instance) || !isFull(file)))
      .map(({ file, instance, count }) => `${file} ends with line ${verified.get(file).get(instance) ?? 0} of ${instance}, which has written ${count}`),
    /**
     * At the end of a step: what was said until now may be missing. `kill`: a supervisor that died has lost no more than one buffer, and the pipes of
     * those who died as well; `power`: nobody who lives was there.
     */
    excuse(kind, living) {
      // Archives are given up first where the disk is full.
      if (kind !== 'kill') for (const file of verified.keys()) behead(file);
      for (const instance of instances()) {
        const key = keyOf(instance);
        // What was in the files before is not sure to be there after a power cut.
        if (kind === 'power') mayMiss.set(key, living.has(key) ? 0 : Infinity);
        else if (closed.has(key)) continue;
        else if (!living.has(key) && kind === 'kill') cutShort.add(key);
        else if (!living.has(key)) mayMiss.set(key, Infinity);
        else if (kind === 'all' || !isMoved) mayMiss.set(key, Math.max(mayMiss.get(key) ?? 0, numberIn(join(world.said, 'counts', instance)) + UNCOUNTED));
      }
    },
    loseNames: (streams) => streams.forEach((stream) => nameless.add(stream)),
    /** The step has ended. */
    close(living) {
      for (const instance of instances()) if (!living.has(keyOf(instance))) closed.add(keyOf(instance));
    },
    /** Another program moves a log away, and removes what was moved and archived before. */
    move(file) {
      const path = join(world.logs, file);
      // The supervisor may write to the one that was moved before still.
      if (!existsSync(path)) return;
      for (const name of archives(path)) rmSync(name);
      renameSync(path, join(world.logs, `moved.${file}`));
      beheaded.add(file);
    },
  };

  function instances() {
    return readdirSync(join(world.said, 'counts'));
  }

  /** Between the file that was moved and the oldest archive there may be some that are gone. */
  function behead(file) {
    rmSync(join(world.logs, `moved.${file}`), { force: true });
    beheaded.add(file);
  }

  function isFull(file) {
    return archives(join(world.logs, file)).length >= KEPT - 1;
  }
}

/** Whether it is the beginning or the end of one of these lines; where a supervisor reads, what it loses may glue one to the other. */
function isPieceOf(text, instance, from, to) {
  for (let number = from; number <= to; number += 1) {
    for (const line of [`${instance} ${number} ${'.'.repeat(39)}`, `${instance} ${number} .`]) {
      if (line.startsWith(text) || line.endsWith(text)) return true;
    }
  }
  if (isMoved || from > to) return false;
  const glued = /^(.*?)((?:\w+\.[0-9]+\.)?[0-9]* ?\.+)$/.exec(text);
  return glued !== null;
}

function keyOf(instance) {
  return instance.slice(0, instance.lastIndexOf('.'));
}

function nameOf(line) {
  return line === null ? 'nothing' : `line ${line.number} of ${line.instance}`;
}
