import { expect, test } from 'vitest';
import type { ServiceSpec } from '../../machines/types.ts';
import { makeNarrator } from '../../src/logs/narrator.ts';
import type { SupervisorLog } from '../../src/logs/supervisor-log.ts';
import { specOf } from '../machines/rig.ts';
import { world } from '../machines/supervisor-rig.ts';

function narrated(specs: readonly ServiceSpec[], specOf = (unit: string) => specs.find(({ name }) => name === unit) ?? null) {
  const all = world(specs);
  const lines: string[] = [];
  const write = (level: string) => (target: string, text: string): void => void lines.push(`${level} ${target}: ${text}`);
  const log = { error: write('ERROR'), warn: write('WARN'), info: write('INFO'), debug: write('DEBUG'), trace: write('TRACE') } as unknown as SupervisorLog;
  const narrate = makeNarrator(log, () => null, specOf);
  all.root.on('*', narrate);
  /** Records since the last call. */
  const said = (): readonly string[] => lines.splice(0).filter((line) => !line.startsWith('DEBUG'));
  return { all, lines, narrate, said };
}

test('what systemg 0.33.0 says too is under its module and in its words, the rest under ours', () => {
  const job = specOf({ name: 'job', restart: { oneshot: true } });
  let configured: readonly ServiceSpec[] = [specOf({ name: 'api', restart: { mode: 'on-failure', maxRestarts: 1 } }), job];
  const { all, lines, narrate } = narrated(configured, (unit) => configured.find(({ name }) => name === unit) ?? null);
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
    "WARN systemg::daemon: Service 'api' crashed. Restarting... (process exited with status 3)", 'INFO systemg::daemon: Starting service: api',
    "ERROR systemg::daemon: Service 'api' has reached maximum restart attempts (1). Giving up. (process exited with status 3)", 'INFO systemg::daemon: Starting service: api',
    'INFO systemg::daemon: Stopping service: api', "INFO sysg::unit: Service 'api' is stopped",
  ]);
  configured = [job];
  for (const unit of ['api', 'job']) narrate({ type: 'unit.removed', at: 0, unit, place: 'current', settlements: [] });
  expect(lines.slice(-2)).toEqual(["INFO sysg::unit: Service 'api' is no longer configured", "INFO sysg::unit: Service 'job' is made anew: it has become a cron unit, or is one no more"]);
  expect(lines).toContain("DEBUG sysg::unit: Service 'api' is running");
});

test('a clean end that is followed by a restart is none of a crash', () => {
  const { all, said } = narrated([specOf({ name: 'api', restart: { mode: 'always' } })]);
  all.send({ type: 'start', units: ['api'] });
  all.come('api');
  said();
  all.go('api', 0);
  expect(said()).toEqual(["INFO systemg::daemon: Service 'api' exited normally. Restarting..."]);
});

test.each([
  ['never', {}, "ERROR systemg::daemon: Service 'api' crashed but restart_policy does not allow restart. (process exited with status 3)"],
  ['on-failure', { noRestartExitCodes: [3] }, "ERROR sysg::unit: Service 'api' has failed: process exited with status 3. Giving up."],
  ['on-failure', { noRestartExitCodes: [4] }, "WARN systemg::daemon: Service 'api' crashed. Restarting... (process exited with status 3)"],
] as const)('a crash under %s with %o', (mode, policy, line) => {
  const { all, said } = narrated([specOf({ name: 'api', restart: { mode, ...policy } })]);
  all.send({ type: 'start', units: ['api'] });
  all.come('api');
  said();
  all.go('api', 3);
  expect(said()).toEqual([line]);
});

test('dependents are stopped because of a failure, or for a restart', () => {
  const dependsOn = [{ service: 'db', condition: 'started', onRestart: 'restart' }] as const;
  const { all, said } = narrated([specOf({ name: 'db', restart: { mode: 'on-failure' } }), specOf({ name: 'api', dependsOn })]);
  all.send({ type: 'start', units: ['db', 'api'] });
  all.come('db');
  all.come('api');
  said();
  all.go('db', 3);
  expect(said()).toContain("WARN systemg::daemon: Stopping dependent service 'api' because 'db' failed.");
  all.go('api', 0);
  all.elapse('db');
  all.come('db');
  all.come('api');
  said();
  all.send({ type: 'restart', units: ['db'] });
  expect(said()).toEqual(['INFO systemg::daemon: Stopping service: api', 'INFO systemg::daemon: Restarting service: db']);
});

test('a unit that its configuration has left out', () => {
  const { all, said } = narrated([specOf({ name: 'api', skip: true })]);
  all.send({ type: 'start', units: ['api'] });
  expect(said()).toEqual(["INFO systemg::daemon: Skipping service 'api' due to skip flag"]);
});

test('a unit whose skip command has ended well', () => {
  const { all, said } = narrated([specOf({ name: 'api', skip: 'true' })]);
  all.send({ type: 'start', units: ['api'] });
  all.go('api', 0);
  expect(said()).toEqual(["INFO systemg::daemon: Skipping service 'api' due to skip condition"]);
});
