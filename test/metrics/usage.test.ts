import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openUsageReader } from '../../src/metrics/usage.ts';
import { programs } from '../process/spec.ts';
import { until } from '../until.ts';

test.runIf(process.platform === 'linux')('a process whose first thread has ended has the memory of the others', async () => {
  const child = spawn(`${programs}ends-first-thread`, { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const { pid = 0 } = child;
  await until('the first thread has ended', () => readFileSync(`/proc/${pid}/status`, 'utf8').includes('State:\tZ'));
  const reader = openUsageReader(pid, { stat: false, rest: false });
  const reading = reader.read();
  expect(reading === null ? null : reader.complete(reading)?.usage.rssBytes).toBeGreaterThan(1_000_000);
});
