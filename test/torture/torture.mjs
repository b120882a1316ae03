// The built program against a machine that does everything to it that machines and people do. See docs/reliability.md.
//   npm run torture [-- --steps 300] [--seed N] [--script FILE]... [--parts N] [--long] [--keep] [--verbose]
// What fails is cut down to a script that fails in the same way, in a file that `--script` replays. `--long`: freezes of up to 30 s,
// and more of what takes seconds. `--keep`: it is not cut down. `--parts`: so many boxes side by side share the steps, with seeds that follow each other.
// SYSG_TEST_BIN=FILE: another program, such as standalone/sysg; the steps that need a test build, power cuts and skewed clocks, are left out then.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { random } from '../soak/home.mjs';
import { grammar } from './actions.mjs';
import { boxDirectory, obstacle, runInBox } from './box.mjs';
import { runScript } from './run.mjs';
import { shrink } from './shrink.mjs';
import { hasTestBuild } from './world.mjs';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '300' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) }, script: { type: 'string', multiple: true },
    parts: { type: 'string', default: '1' }, long: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);

if (boxDirectory() === undefined) {
  const missing = obstacle();
  if (missing === null && Number(values.parts) > 1) process.exitCode = await sideBySide(Number(values.parts));
  else if (missing === null) process.exitCode = runInBox(import.meta.filename ?? resolve(process.argv[1]), process.argv.slice(2));
  else console.log(`torture: not run here: ${missing}`);
} else {
  await torture();
}

async function sideBySide(parts) {
  const codes = await Promise.all(Array.from({ length: parts }, (_, part) => new Promise((done) => {
    const flags = ['long', 'keep', 'verbose'].filter((name) => values[name]).map((name) => `--${name}`);
    const args = ['--steps', String(Math.ceil(Number(values.steps) / parts)), '--seed', String(seed + part), ...flags];
    spawn(process.execPath, [resolve(process.argv[1]), ...args], { stdio: 'inherit' }).on('close', (code) => done(code ?? 1));
  })));
  const failed = codes.filter((code) => code !== 0).length;
  console.log(`torture: ${failed} of ${parts} parts failed`);
  return failed === 0 ? 0 : 1;
}

/** Each script on a fresh world, up to the first that fails. */
async function torture() {
  const next = grammar(random(seed), { testBuild: hasTestBuild, ...(values.long && { slow: 0.5, freezeMs: 30_000 }) });
  const scripts = values.script?.map((file) => JSON.parse(readFileSync(file, 'utf8'))) ?? [Array.from({ length: Number(values.steps) }, next)];
  for (const [index, script] of scripts.entries()) {
    console.log(`torture: ${values.script === undefined ? `seed ${seed}` : values.script[index]}, ${script.length} steps`);
    if (!(await isWithoutFailure(script))) return;
  }
  console.log('torture: 0 failures');
}

async function isWithoutFailure(script) {
  const began = performance.now();
  const { counts, failure } = await runScript(script, random(seed), (step, action) => {
    if (values.verbose) console.log(`${((performance.now() - began) / 1000).toFixed(1)} s: ${step} ${JSON.stringify(action)}`);
  });
  const { lost, ...rest } = counts;
  const figures = Object.entries(rest).map(([name, count]) => `${count} ${name}`).join(', ');
  const gone = `${lost.lines} lines gone with what took them (a full disk, no descriptors, a power cut, kills), ${lost.kills} times`;
  console.log(`torture: ${figures}; ${gone}; ${((performance.now() - began) / 1000).toFixed(1)} s`);
  if (failure === null) return true;
  console.log(`torture: step ${failure.step}: ${failure.text}\n${failure.log}`);
  process.exitCode = 1;
  const file = join(tmpdir(), `torture-${seed}.json`);
  const cut = script.slice(0, failure.step);
  write(file, cut);
  console.log(`torture: 1 failures (seed ${seed}); replay: npm run torture -- --seed ${seed} --script ${file}`);
  if (values.keep) return false;
  const small = await shrink(cut, async (candidate) => (await runScript(candidate, random(seed))).failure !== null, 180_000);
  write(file, small);
  console.log(`torture: cut down to ${small.length} of ${cut.length} steps:\n${readFileSync(file, 'utf8')}`);
  return false;
}

function write(file, script) {
  writeFileSync(file, `[\n${script.map((action) => `  ${JSON.stringify(action)}`).join(',\n')}\n]\n`);
}
