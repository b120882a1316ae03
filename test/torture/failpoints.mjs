// kill -9 of the supervisor before every effect of launch, ledger, rotation, compaction, rollout and hand-over: each system call that changes something.
//   node test/torture/failpoints.mjs [--sample 10] [--seed N]
// A first run notes which places there are. `--sample`: so many of them, chosen by the seed.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { random } from '../soak/home.mjs';
import { boxDirectory, obstacle, runInBox } from './box.mjs';
import { runScript } from './run.mjs';

const { values } = parseArgs({ options: { sample: { type: 'string' }, seed: { type: 'string', default: '1' }, verbose: { type: 'boolean', default: false } } });

if (boxDirectory() === undefined) {
  const missing = obstacle();
  if (missing === null) process.exitCode = runInBox(resolve(process.argv[1]), process.argv.slice(2));
  else console.log(`failpoints: not run here: ${missing}`);
} else {
  const chance = random(Number(values.seed));
  const traced = await runScript([{ do: 'trace' }], chance);
  if (traced.failure !== null) throw new Error(`${traced.failure.text}\n${traced.failure.log}`);
  // Each place by the first act that passes it.
  const all = [...new Map(traced.run.places.toReversed().map((point) => [point.place, point])).values()].toReversed();
  const chosen = values.sample === undefined ? all : Array.from({ length: Number(values.sample) }, () => all.splice(chance.below(all.length), 1)[0]);
  console.log(`failpoints: ${traced.run.places.length} passed, ${chosen.length} of ${new Set(traced.run.places.map(({ place }) => place)).size} places are tried`);
  const { failure, run, counts } = await runScript(chosen.map((point) => ({ do: 'failpoint', ...point })), chance, (step, action) => {
    if (values.verbose) console.log(`${step} ${action.act}: ${action.place}`);
  });
  if (failure !== null) console.log(`failpoints: ${failure.text}\n${failure.log}`);
  for (const place of run.unvisited) console.log(`failpoints: not passed again: ${place}`);
  console.log(`failpoints: ${run.visited.length} visited, ${run.unvisited.length} not, ${counts.supervisors} supervisors, ${failure === null ? 0 : 1} failures`);
  process.exitCode = failure === null ? 0 : 1;
}
