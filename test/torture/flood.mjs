// Kills the supervisor at full flood and counts what its log files lost.
//   node test/torture/flood.mjs [--kills 200] [--seed N] [--every SECONDS]
// A service writes numbers of one width as fast as its pipe takes them, or one every so many seconds. After every kill the file is compared with what was to be in it.
import { existsSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeHome, pause, random, soon } from '../soak/home.mjs';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' }, seed: { type: 'string' }, every: { type: 'string' } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const chance = random(seed);
const home = makeHome();
const log = join(home.state, 'logs/flood_stdout.log');
const first = 1_000_000_000_000_000;
const width = String(first).length + 1;
const slowly = `number=${first}; while :; do echo $number; number=$((number + 1)); sleep ${Number(values.every)}; done`;
const command = values.every === undefined ? `exec seq ${first} 9999999999999999` : slowly;
home.configure(`version: "1"\nservices:\n  flood: {command: "${command}", logs: {rotate: {size: 1000G, keep: 0}}}\n`);
await home.sysg('start', '--daemonize', '-c', home.config);

let position = 0;
let written = 0;
const losses = [];
for (let kill = 1; kill <= Number(values.kills); kill += 1) {
  const supervisor = await soon('a supervisor serves', async () => ((await home.status().catch(() => null)) === null ? null : home.supervisor()));
  const guardian = home.processes().get(supervisor)?.ppid;
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  await soon('it writes', () => (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > size, 10_000, 1);
  await pause(chance.next() * 40);
  process.kill(guardian, 'SIGSTOP');
  process.kill(supervisor, 'SIGKILL');
  await soon('it is gone', () => !existsSync(`/proc/${supervisor}`) || /\) Z /.test(readFileSync(`/proc/${supervisor}/stat`, 'latin1')), 10_000, 1);
  examine(readFileSync(log));
  truncateSync(log, 0);
  process.kill(guardian, 'SIGCONT');
  await soon('another one serves', async () => ((await home.status().catch(() => null)) !== null && home.supervisor() !== supervisor) || null);
}
await home.remove();
const lost = losses.reduce((sum, bytes) => sum + bytes, 0);
console.log(`flood: seed ${seed}, ${values.kills} kills, ${Math.round(written / 1024)} KiB written; lost in ${losses.length} kills, ${lost} bytes in all, at most ${Math.max(0, ...losses)} at once`);

/** The whole stream is known: byte `n` of it is a digit of line `n / width`. What does not fit is a gap of some length, after which it fits again. */
function examine(bytes) {
  written += bytes.length;
  for (let offset = 0; offset < bytes.length;) {
    const run = fitting(bytes, offset);
    offset += run;
    position += run;
    if (offset >= bytes.length) return;
    const gap = gapAt(bytes, offset);
    if (gap === null) throw new Error(`at offset ${offset} of the file comes ${JSON.stringify(bytes.toString('latin1', offset, offset + 60))}, expected line ${first + Math.floor(position / width)} (seed ${seed})`);
    losses.push(gap);
    position += gap;
  }
}

function streamByte(at) {
  return `${first + Math.floor(at / width)}\n`.charCodeAt(at % width);
}

/** How many bytes from `offset` on are those of the stream from `position` on. */
function fitting(bytes, offset) {
  let at = 0;
  const length = bytes.length - offset;
  while (at < length) {
    const line = position + at;
    if (line % width === 0 && at + width <= length) {
      const expected = first + line / width;
      if (bytes.compare(Buffer.from(`${expected}\n`), 0, width, offset + at, offset + at + width) !== 0) break;
      at += width;
    } else if (bytes[offset + at] === streamByte(line)) at += 1;
    else break;
  }
  while (at < length && bytes[offset + at] === streamByte(position + at)) at += 1;
  return at;
}

/** The first whole line after `offset` says where the stream goes on. */
function gapAt(bytes, offset) {
  const lineEnd = bytes.indexOf(10, offset);
  if (lineEnd < 0 || lineEnd + 1 + width > bytes.length) return null;
  const number = Number(bytes.toString('latin1', lineEnd + 1, lineEnd + width));
  const there = (number - first) * width - (lineEnd + 1 - offset);
  return Number.isInteger(there) && there > position ? there - position : null;
}
