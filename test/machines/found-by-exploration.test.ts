import { expect, test } from 'vitest';
import type { CronSpec, Dependency, ServiceSpec } from '../../machines/types.ts';
import { rig, specOf } from './rig.ts';
import { hasEnded } from '../../machines/supervisor.ts';
import { world } from './supervisor-rig.ts';

/** The shortest ways to faults that the explorations of test/model found. */
const cron: CronSpec = { expression: '0 * * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' };
const job = specOf({ name: 'job', cron });
const needsA: readonly Dependency[] = [{ service: 'a', condition: 'started', onRestart: 'restart' }];
const pair = (): readonly ServiceSpec[] => [specOf({ name: 'a' }), specOf({ name: 'b', dependsOn: needsA })];

test('configured again while it is going: the ledger and whoever watches learn that it is wanted', () => {
  const unit = rig();
  unit.run();
  unit.send({ type: 'reload', spec: null });
  unit.send({ type: 'reload', spec: specOf() });
  expect(unit.records.at(-1)?.wanted).toBe('up');
  expect(unit.facts.at(-1)).toMatchObject({ facts: { wanted: 'up' } });
});

test('a start of a unit brings what it needs although that was about to be stopped', () => {
  const { send, come, go, state, answers, effects } = world(pair(), { start: ['a', 'b'] });
  come('a');
  come('b');
  send({ type: 'stop', ticket: 1, units: ['a', 'b'] });
  send({ type: 'start', ticket: 2, units: ['b'] });
  expect(answers).toContainEqual({ ticket: 1, unit: 'a', result: 'failed', error: 'superseded by start' });
  go('b');
  expect(effects.filter((effect) => effect.endsWith('a 1'))).toEqual(['spawn a 1']);
  expect([state('a'), state('b')]).toEqual(['running', 'spawning']);
});

test('a unit that is restarted does not start under a dependency that is about to be stopped', () => {
  const { send, come, go, state, answers } = world(pair(), { start: ['a', 'b'] });
  come('a');
  come('b');
  send({ type: 'stop', units: ['a', 'b'] });
  send({ type: 'restart', ticket: 2, units: ['b'], specs: null });
  go('b');
  expect([state('a'), state('b')]).toEqual(['stopping', 'waiting']);
  go('a');
  expect(answers).toEqual([{ ticket: 2, unit: 'b', result: 'failed', error: "dependency 'a' is stopped" }]);
});

test('a stop of one unit still leaves its dependents running', () => {
  const { send, come, go, state } = world(pair(), { start: ['a', 'b'] });
  come('a');
  come('b');
  send({ type: 'stop', units: ['a'] });
  go('a');
  expect([state('a'), state('b')]).toEqual(['stopped', 'running']);
});

test('a shutdown answers what a unit owes that survives SIGKILL', () => {
  const { send, come, elapse, answers, root } = world([specOf({ name: 'a' })], { start: ['a'] });
  come('a');
  send({ type: 'stop', units: ['a'] });
  expect([elapse('a'), elapse('a')]).toEqual(['grace', 'kill']);
  send({ type: 'stop', ticket: 1, units: ['a'] });
  send({ type: 'shutdown', exitCode: 0 });
  expect(hasEnded(root.getSnapshot())).toBe(true);
  expect(answers.filter(({ ticket }) => ticket === 1)).toMatchObject([{ unit: 'a', result: 'failed' }]);
});

test('a shutdown tells every unit before it is over', () => {
  const { send, elapse, report, answers, root } = world(pair());
  send({ type: 'start', units: ['a'] });
  report('a', 'process.spawned');
  send({ type: 'stop', units: ['a'] });
  expect([elapse('a'), elapse('a')]).toEqual(['grace', 'kill']);
  send({ type: 'start', ticket: 1, units: ['a'] });
  send({ type: 'shutdown', exitCode: 0 });
  expect(hasEnded(root.getSnapshot())).toBe(true);
  expect(answers).toContainEqual({ ticket: 1, unit: 'a', result: 'failed', error: 'superseded by stop' });
});

test('a cron unit that is restarted while its stop goes on is on schedule again', () => {
  const { send, schedules, report } = world([job]);
  send({ type: 'start', units: ['job'] });
  report('job', 'process.spawned');
  send({ type: 'stop', units: ['job'] });
  expect(schedules.has('job')).toBe(false);
  send({ type: 'restart', units: ['job'], specs: null });
  expect(schedules.has('job')).toBe(true);
});

test.each([
  ['stop', { type: 'stop', units: ['job'] }, 'superseded by stop'],
  ['removal', { type: 'reload', specs: [] }, 'removed from the configuration'],
] as const)('whoever waits for a queued run is answered when a %s takes its place', (_, command, error) => {
  const { send, answers, report } = world([job]);
  send({ type: 'start', units: ['job'] });
  report('job', 'process.spawned');
  send({ type: 'restart', ticket: 2, units: ['job'], specs: null });
  send(command);
  expect(answers.filter(({ ticket }) => ticket === 2)).toEqual([{ ticket: 2, unit: 'job', result: 'failed', error }]);
});

test.each([['starting', false], ['running its preparation', true]])('a removal answers who waits for a unit that is %s', (_, isPrepared) => {
  const { send, answers, report } = world([specOf({ name: 'a', preStart: isPrepared ? 'true' : null })]);
  send({ type: 'start', ticket: 1, units: ['a'] });
  report('a', 'process.spawned');
  send({ type: 'reload', specs: [] });
  expect(answers).toEqual([{ ticket: 1, unit: 'a', result: 'failed', error: 'removed from the configuration' }]);
});

test('a cron unit on its way out of the configuration is not started', () => {
  const { send, answers, schedules, report } = world([job]);
  send({ type: 'start', units: ['job'] });
  report('job', 'process.spawned');
  send({ type: 'reload', specs: [] });
  send({ type: 'start', ticket: 1, units: ['job'] });
  expect(answers).toEqual([{ ticket: 1, unit: 'job', result: 'failed', error: 'removed from the configuration' }]);
  expect(schedules.has('job')).toBe(false);
});

test('a cron unit that is configured again before its run is over stays', () => {
  const { send, schedules, report, go, root } = world([job]);
  send({ type: 'start', units: ['job'] });
  report('job', 'process.spawned');
  send({ type: 'reload', specs: [] });
  send({ type: 'reload', specs: [job] });
  go('job');
  expect(root.getSnapshot().context.units.has('job')).toBe(true);
  expect(schedules.has('job')).toBe(true);
});
