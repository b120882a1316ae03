import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { endGuardian } from '../../src/cli/presence.ts';
import { findGuardian } from '../../src/state/lock-owner.ts';
import { takeLock } from '../../src/state/lock.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from './rig.ts';

test('a guardian is ended at once while the supervisor of another start holds the lock', async () => {
  const stateDir = tempDir();
  const lock = takeLock(join(stateDir, 'supervisor.lock'));
  const guardian = spawn('/bin/sh', ['-s', '--', stateDir], { stdio: ['pipe', 'ignore', 'ignore'] });
  onTestFinished(() => {
    guardian.kill('SIGKILL');
    if (lock.ok) lock.release();
  });
  await until(() => findGuardian(stateDir)?.pid === guardian.pid);
  const begun = performance.now();
  await endGuardian({ stateDir });
  expect(findGuardian(stateDir)).toBe(null);
  expect(performance.now() - begun).toBeLessThan(5000);
});
