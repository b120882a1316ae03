import { writeFileSync } from 'node:fs';

/** Leaves the totals of a run in the file named in SYSG_TEST_TOTALS. A file that cannot be loaded and an error outside any test count as failed. */
export default class TotalsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
        else if (state === 'skipped') skipped += 1;
      }
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      failed += module.errors().length;
    }
    writeFileSync(process.env['SYSG_TEST_TOTALS'], JSON.stringify({ passed, failed, skipped }));
  }
}
