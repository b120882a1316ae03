import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasKoffi } from '../native/installed.ts';
import { makeHome, soon } from './rig.ts';

// The program in one file has the port in it.
test.skipIf(!(hasKoffi || process.env['SYSG_TEST_BIN'] !== undefined) || process.env['SYSG_NATIVE'] === '0')('a supervisor at rest gives the pages of its program back, and goes on', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "exec $PROGRAMS/forever"}\n');
  /** Megabytes: RssFile of proc_pid_status(5). */
  const ofFiles = (): number => Number(/^RssFile:\s+(\d+)/m.exec(readFileSync(`/proc/${home.supervisorPid()}/status`, 'latin1'))?.[1]) / 1024;
  const started = home.sysg('start', '--daemonize');
  // While it starts: a second after that it rests.
  await soon('it is large', () => existsSync(join(home.state, 'sysg.pid')) && ofFiles() > 30);
  expect(await started).toMatchObject({ code: 0 });
  await soon('it is small', () => ofFiles() < 26);
  expect(await home.sysg('restart', 'web')).toMatchObject({ code: 0 });
  expect(await home.unit('web')).toMatchObject({ phase: 'running' });
});
