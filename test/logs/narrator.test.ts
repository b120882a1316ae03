import { expect, test } from 'vitest';
import { makeNarrator } from '../../src/logs/narrator.ts';
import type { SupervisorLog } from '../../src/logs/supervisor-log.ts';
import { specOf } from '../machines/rig.ts';
import { world } from '../machines/supervisor-rig.ts';

test('what systemg 0.33.0 says too is under its module and in its words, the rest under ours', () => {
  const all = world([specOf({ name: 'api', restart: { mode: 'on-failure', maxRestarts: 1 } }), specOf({ name: 'job', restart: { oneshot: true } })]);
  const lines: string[] = [];
  const write = (level: string) => (target: string, text: string): void => void lines.push(`${level} ${target}: ${text}`);
  const narrate = makeNarrator(
    { error: write('ERROR'), warn: write('WARN'), info: write('INFO'), debug: write('DEBUG'), trace: write('TRACE') } as unknown as SupervisorLog, () => null, (unit) => unit === 'job',
  );
  all.root.on('*', narrate);
  all.send({ type: 'start', units: ['api', 'job'] });
  all.come('api');
  all.come('job');
  all.go('job', 0);
  all.go('api', 3);
  all.elapse('api');
  all.come('api');
  all.go('api', 3);
  all.send({ type: 'start', units: ['api'] });
  all.come('api');
  all.send({ type: 'stop', units: ['api'] });
  all.go('api', 0);
  expect(lines.filter((line) => !line.startsWith('DEBUG'))).toEqual([
    'INFO systemg::daemon: Starting service: api', 'INFO systemg::daemon: Starting service: job', "INFO systemg::daemon: Service 'job' exited normally.",
    "WARN systemg::daemon: Service 'api' failed (process exited with status 3). Restarting...", 'INFO systemg::daemon: Starting service: api',
    "ERROR sysg::unit: Service 'api' has failed: process exited with status 3. Giving up.", 'INFO systemg::daemon: Starting service: api',
    'INFO systemg::daemon: Stopping service: api', "INFO sysg::unit: Service 'api' is stopped",
  ]);
  for (const unit of ['api', 'job']) narrate({ type: 'unit.removed', at: 0, unit, place: 'current', settlements: [] });
  expect(lines.slice(-2)).toEqual(["INFO sysg::unit: Service 'api' is no longer configured", "INFO sysg::unit: Service 'job' is made anew: it has become a cron unit, or is one no more"]);
  expect(lines).toContain("DEBUG sysg::unit: Service 'api' is running");
});
