// Runs the tests; the last line of the output is always `N passed, N failed, N skipped`.
//   node .build/test.mjs [--all] [argument of vitest]...
// --all: type-check and lint first, each of which counts as one failure when it fails. dist/ is built by the tests that need it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const args = process.argv.slice(2);
// Node 20 reads the file named here at every start, and the tests start it often.
const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
const scratch = mkdtempSync(join(tmpdir(), 'sysg-test-'));
const totalsFile = join(scratch, 'totals.json');
const tool = (name) => join(root, 'node_modules/.bin', name);
const run = (command, ...rest) => new Promise((done) => {
  spawn(command, rest, { cwd: root, stdio: 'inherit', env: { ...env, SYSG_TEST_TOTALS: totalsFile } }).on('error', () => done(false)).on('exit', (code) => done(code === 0));
});

let failedSteps = 0;
if (args.includes('--all')) {
  const steps = [
    ['type check', tool('tsc'), '--noEmit'],
    ['type check of the page', tool('tsc'), '--noEmit', '-p', 'src/web/page'],
    ['lint', tool('oxlint'), '--deny-warnings', 'machines', 'src', 'test'],
  ];
  // Side by side: each of them has one processor at a time to do.
  await Promise.all(steps.map(async ([name, ...command]) => {
    if (await run(...command)) return;
    failedSteps += 1;
    console.error(`${name} failed`);
  }));
}

const finished = await run(
  tool('vitest'), 'run', '--config=test/vitest.config.ts', '--reporter=default', '--reporter=./.build/totals-reporter.mjs',
  ...args.filter((argument) => argument !== '--all'),
);
const totals = readTotals();
rmSync(scratch, { recursive: true, force: true });
// A run without a single failed test that did not end well, or that ran nothing, has failed all the same.
const failed = failedSteps + totals.failed + (totals.failed === 0 && (!finished || totals.passed === 0) ? 1 : 0);
process.exitCode = failed === 0 ? 0 : 1;
process.stdout.write(`${totals.passed} passed, ${failed} failed, ${totals.skipped} skipped\n`);

function readTotals() {
  try {
    return JSON.parse(readFileSync(totalsFile, 'utf8'));
  } catch {
    // It died before it could count.
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
