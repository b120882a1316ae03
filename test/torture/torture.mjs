// The built program against a machine that does everything to it that machines and people do. See docs/reliability.md.
//   npm run torture [-- --steps 300] [--seed N] [--script FILE] [--long] [--keep] [--verbose]
// What fails is cut down to a script that fails in the same way, in a file that `--script` replays. `--long`: freezes of up to 30 s,
// and more of what takes seconds. `--keep`: it is not cut down.
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { random } from '../soak/home.mjs';
import { grammar } from './actions.mjs';
import { boxDirectory, obstacle, runInBox } from './box.mjs';
import { runScript } from './run.mjs';
import { shrink } from './shrink.mjs';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '300' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) }, script: { type: 'string' },
    long: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);

if (boxDirectory() === undefined) {
  const missing = obstacle();
  if (missing === null) process.exitCode = runInBox(import.meta.filename ?? resolve(process.argv[1]), process.argv.slice(2));
  else console.log(`torture: not run here: ${missing}`);
} else {
  await torture();
}

async function torture() {
  const chance = random(seed);
  const next = grammar(chance, values.long ? { slow: 0.5, freezeMs: 30_000 } : {});
  const script = values.script === undefined ? Array.from({ length: Number(values.steps) }, next) : JSON.parse(readFileSync(values.script, 'utf8'));
  console.log(`torture: seed ${seed}, ${script.length} steps`);
  const began = performance.now();
  const { counts, failure } = await runScript(script, random(seed), (step, action) => {
    if (values.verbose) console.log(`${((performance.now() - began) / 1000).toFixed(1)} s: ${step} ${JSON.stringify(action)}`);
  });
  const { lost, ...rest } = counts;
  console.log(`torture: ${Object.entries(rest).map(([name, count]) => `${count} ${name}`).join(', ')}; ${lost.lines} lines gone with what took them (a full disk, no descriptors, a power cut, kills), ${lost.kills} times; ${((performance.now() - began) / 1000).toFixed(1)} s`);
  if (failure === null) {
    console.log('torture: 0 failures');
    return;
  }
  console.log(`torture: step ${failure.step}: ${failure.text}\n${failure.log}`);
  process.exitCode = 1;
  const file = join(tmpdir(), `torture-${seed}.json`);
  const cut = script.slice(0, failure.step);
  writeFileSync(file, `[\n${cut.map((action) => `  ${JSON.stringify(action)}`).join(',\n')}\n]\n`);
  console.log(`torture: 1 failures (seed ${seed}); replay: npm run torture -- --seed ${seed} --script ${file}`);
  if (values.keep) return;
  const small = await shrink(cut, async (candidate) => (await runScript(candidate, random(seed))).failure !== null, 180_000);
  writeFileSync(file, `[\n${small.map((action) => `  ${JSON.stringify(action)}`).join(',\n')}\n]\n`);
  console.log(`torture: cut down to ${small.length} of ${cut.length} steps:\n${readFileSync(file, 'utf8')}`);
}
