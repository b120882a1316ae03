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

test('the space for new objects of a supervisor does not grow', () => {
  const { outputFiles: [built] } = buildSync({
    entryPoints: [resolve(import.meta.dirname, '../src/interpreter.ts')], bundle: true, platform: 'node', format: 'cjs', write: false, define: { 'import.meta.dirname': '"/"' },
  });
  const mebibytes = (spares: boolean): number => Number(run(`
    const module = { exports: {} };
    ${built?.text};
    const size = () => v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').space_size;
    if (${spares}) module.exports.interpreter.spare();
    let kept = [];
    for (let count = 0; count < 400_000; count += 1) {
      kept.push({ count, list: [count] });
      if (kept.length > 50_000) kept = kept.slice(25_000);
    }
    console.log(size() / 2 ** 20);
  `, flags));
  // Two halves of one, as V8 begins.
  expect(mebibytes(true)).toBeLessThanOrEqual(2);
  expect(mebibytes(false)).toBeGreaterThan(2);
});
