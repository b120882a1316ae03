import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, test } from 'vitest';
import { interpreter } from '../src/interpreter.ts';

const [program = process.execPath, ...words] = interpreter.supervisor;
const flags = words.slice(0, -1);
const run = (text: string, options: readonly string[], ...args: readonly string[]): string => execFileSync(program, [...options, '-e', text, ...args], { encoding: 'utf8' });

test('the supervisor has no flag under which V8 refuses what the build and Node have compiled', () => {
  const source = JSON.stringify('(function twice(number) { return 2 * number; })');
  const compiled = run(`const script = new vm.Script(${source}); script.runInThisContext()(2); console.log(script.createCachedData().toString('base64'));`, []);
  const isRefused = `console.log(new vm.Script(${source}, { cachedData: Buffer.from(process.argv[1], 'base64') }).cachedDataRejected);`;
  expect(run(isRefused, flags, compiled.trim())).toBe('false\n');
  // Under a flag of V8's it does.
  expect(run(isRefused, [...flags, '--no-opt'], compiled.trim())).toBe('true\n');
});

/** What a script prints in which `interpreter` is that of the program. */
function numberOf(script: string): number {
  const { outputFiles: [built] } = buildSync({
    entryPoints: [resolve(import.meta.dirname, '../src/interpreter.ts')], bundle: true, platform: 'node', format: 'cjs', write: false, define: { 'import.meta.dirname': '"/"' },
  });
  return Number(run(`const module = { exports: {} };\n${built?.text};\n${script}`, flags));
}

test('the space for new objects of a supervisor does not grow', () => {
  const mebibytes = (prepare: string): number => numberOf(`
    ${prepare}
    let kept = [];
    for (let count = 0; count < 400_000; count += 1) {
      kept.push({ count, list: [count] });
      if (kept.length > 50_000) kept = kept.slice(25_000);
    }
    console.log(v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').space_size / 2 ** 20);
  `);
  // Two halves of one, as V8 begins.
  expect(mebibytes('interpreter.spare();')).toBeLessThanOrEqual(2);
  expect(mebibytes('')).toBeGreaterThan(2);
});

test('compacting gives back the gaps between what is in use, and leaves the flags as they were', () => {
  const gaps = (compact: string): number => numberOf(`
    interpreter.spare();
    let kept = Array.from({ length: 400_000 }, (_, index) => ({ index, list: [index] }));
    kept = kept.filter((_, index) => index % 4 === 0);
    ${compact}
    if (typeof gc !== 'undefined' || vm.runInNewContext('typeof gc') !== 'undefined') throw new Error('gc can still be called');
    const { heapTotal, heapUsed } = process.memoryUsage();
    console.log((heapTotal - heapUsed) / heapTotal + 0 * kept.length);
  `);
  expect(gaps('interpreter.compact();')).toBeLessThan(0.4);
  // A collection alone leaves them.
  expect(gaps("v8.setFlagsFromString('--expose-gc'); vm.runInNewContext('gc')(); v8.setFlagsFromString('--no-expose-gc');")).toBeGreaterThan(0.4);
});
