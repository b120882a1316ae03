// Damages what others write, millions of times, and has it read: requests, configurations, .env, ledger, journal, XML, cron expressions, log indexes.
//   node test/fuzz/inputs.mjs [--inputs 10000000] [--seed N]
// What breaks a promise is kept in test/fuzz/corpus/<target>/, which the tests read again.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { random } from '../soak/home.mjs';

const { values } = parseArgs({ options: { inputs: { type: 'string', default: '10000000' }, seed: { type: 'string' } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const chance = random(seed);
const scratch = mkdtempSync(join(tmpdir(), 'sysg-fuzz-'));
await build({ entryPoints: [join(import.meta.dirname, 'targets.ts')], bundle: true, platform: 'node', format: 'cjs', outfile: join(scratch, 'targets.cjs'), logLevel: 'error' });
const { default: { edited, targets } } = await import(pathToFileURL(join(scratch, 'targets.cjs')).href);
rmSync(scratch, { recursive: true });

// A YAML document takes as long as thirty of the others.
const documents = Math.ceil(Number(values.inputs) / 50);
const others = Math.ceil((Number(values.inputs) - documents) / (targets.length - 1));
console.log(`fuzz: seed ${seed}, ${values.inputs} inputs for ${targets.length} readers`);
let failures = 0;
for (const { name, seeds, check } of targets) {
  const each = name === 'configuration' ? documents : others;
  const began = performance.now();
  const found = new Set();
  let slowestMs = 0;
  for (let count = 0; count < each; count += 1) {
    const bytes = edited(Buffer.from(chance.pick(seeds)), Array.from({ length: 1 + chance.below(5) }, () => [chance.below(300), chance.below(8), chance.below(400)]));
    const at = performance.now();
    try {
      check(bytes);
    } catch (error) {
      // One input for each way to fail.
      const kind = `${error.name}: ${error.message.replaceAll(/[0-9]+|".*"/g, '…')}`.slice(0, 80);
      if (found.has(kind) || found.size > 20) continue;
      found.add(kind);
      keep(name, bytes);
      console.error(`fuzz: ${name}: ${JSON.stringify(bytes.toString('latin1').slice(0, 300))}: ${error.stack.split('\n').slice(0, 3).join(' ')}`);
    }
    slowestMs = Math.max(slowestMs, performance.now() - at);
  }
  failures += found.size;
  console.log(`fuzz: ${name}: ${each} inputs in ${((performance.now() - began) / 1000).toFixed(1)} s, the slowest ${slowestMs.toFixed(1)} ms, ${found.size} ways to fail`);
}
console.log(`fuzz: ${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;

function keep(name, bytes) {
  const directory = join(import.meta.dirname, 'corpus', name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, createHash('sha256').update(bytes).digest('hex').slice(0, 12)), bytes);
}
