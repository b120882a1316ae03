import { notPassing } from './not-passing.ts';

/** Once before the run: what is left out, and why. */
export default function printList(): void {
  process.stdout.write(`Left out, ${notPassing.length} in all (test/standalone/not-passing.ts):\n`);
  for (const { file, test, reason } of notPassing) process.stdout.write(`  ${file}${test === null ? '' : ` > ${test}`}\n    ${reason}\n`);
}
