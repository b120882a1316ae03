import { describe, expect, test } from 'vitest';
import type { ServiceSpec } from '../../machines/types.ts';
import { specOf } from './rig.ts';
import { world, type World } from './supervisor-rig.ts';

const service = specOf({ name: 'web' });
const cron: ServiceSpec = { ...service, cron: { expression: '* * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } };

function running(): World {
  const it = world([service], { start: ['web'] });
  it.come('web');
  it.effects.length = 0;
  return it;
}

const kindOf = ({ root }: World): string => (root.getSnapshot().context.units.get('web')?.spec.cron === null ? 'service' : 'cron');
const answers = (it: World): readonly unknown[] => it.answers.map(({ ticket, result, error }) => [ticket, error ?? result]);

describe('a unit that becomes one of the other kind', () => {
  test('a reload is answered when the new one is started, as for units that it adds', () => {
    const it = world([cron], { start: ['web'] });
    it.send({ type: 'reload', specs: [service], ticket: 1 });
    expect([kindOf(it), it.effects, it.answers]).toEqual(['service', ['spawn web 1'], []]);
    it.come('web');
    expect(answers(it)).toEqual([[1, 'started']]);
  });

  test('a reload or restart of a service that becomes a cron unit ends its process first; a restart runs it now', () => {
    for (const [command, effects] of [[{ type: 'reload', specs: [cron] }, []], [{ type: 'restart', units: ['web'], specs: [cron] }, ['spawn web 1']]] as const) {
      const it = running();
      it.send({ ...command, ticket: 1 });
      expect([it.effects, kindOf(it)]).toEqual([['SIGTERM web 1'], 'service']);
      it.go('web');
      expect([it.effects.slice(1), kindOf(it), it.schedules.has('web')]).toEqual([effects, 'cron', true]);
      if (effects.length > 0) it.come('web');
      expect(answers(it)).toEqual([[1, 'started']]);
    }
  });

  test('starts and restarts that come meanwhile are answered by its start', () => {
    const it = running();
    it.send({ type: 'reload', specs: [cron], ticket: 1 });
    it.send({ type: 'restart', units: ['web'], specs: [cron], ticket: 2 });
    it.send({ type: 'start', units: ['web'], ticket: 3 });
    it.send({ type: 'restart', units: ['web'], specs: null, ticket: 4 });
    it.go('web');
    it.come('web');
    expect([it.answers.length, it.effects]).toEqual([4, ['SIGTERM web 1', 'spawn web 1']]);
    expect(answers(it)).toEqual(expect.arrayContaining([[1, 'started'], [2, 'started'], [3, 'started'], [4, 'started']]));
  });

  test('a stop that comes meanwhile keeps it down, also when the file is read again; a start brings it', () => {
    const it = running();
    it.send({ type: 'reload', specs: [cron], ticket: 1 });
    it.send({ type: 'stop', units: ['web'], ticket: 2 });
    it.send({ type: 'reload', specs: [cron] });
    it.go('web');
    expect([kindOf(it), it.schedules.has('web'), answers(it)]).toEqual(['cron', false, [[1, 'superseded by stop'], [2, 'stopped']]]);
    it.send({ type: 'start', units: ['web'], ticket: 3 });
    expect(it.schedules.has('web')).toBe(true);
  });

  test('a reload that takes the change back brings it back as it was, and one without it answers that it is removed', () => {
    const back = running();
    back.send({ type: 'reload', specs: [cron], ticket: 1 });
    back.send({ type: 'reload', specs: [service] });
    back.go('web');
    back.come('web');
    expect([kindOf(back), answers(back)]).toEqual(['service', [[1, 'started']]]);
    const removed = running();
    removed.send({ type: 'reload', specs: [cron], ticket: 1 });
    removed.send({ type: 'reload', specs: [] });
    removed.go('web');
    expect([removed.state('web'), answers(removed)]).toEqual(['absent', [[1, 'removed from the configuration']]]);
  });

  test('a start or restart that is under way is answered by its start, whether it waits for the unit or for its turn', () => {
    const prepared = { ...service, preStart: 'true' };
    const slow = world([prepared]);
    slow.send({ type: 'start', units: ['web'], ticket: 1 });
    slow.send({ type: 'reload', specs: [cron], ticket: 2 });
    expect([slow.effects, slow.answers]).toEqual([['spawn web 1'], []]);
    slow.report('web', 'process.gone');
    expect([kindOf(slow), slow.effects, answers(slow)]).toEqual(['cron', ['spawn web 1'], [[1, 'started'], [2, 'started']]]);

    const top = specOf({ name: 'top', dependsOn: [{ service: 'web', condition: 'started', onRestart: 'ignore' }] });
    const queued = world([service, top], { start: ['web', 'top'] });
    queued.come('web');
    queued.come('top');
    queued.send({ type: 'restart', units: ['web', 'top'], specs: null, ticket: 1 });
    queued.send({ type: 'reload', specs: [cron, top] });
    queued.go('web');
    queued.go('top');
    queued.come('top');
    expect([kindOf(queued), queued.schedules.has('web'), answers(queued)]).toEqual(['cron', true, [[1, 'started'], [1, 'started']]]);
  });

  test('it does not wait for what it needs when that is there', () => {
    const db = specOf({ name: 'db' });
    const needs = { dependsOn: [{ service: 'db', condition: 'started', onRestart: 'restart' }] } as const;
    for (const [before, after] of [[cron, service], [service, cron]] as const) {
      const it = world([db, { ...before, ...needs }], { start: ['db', 'web'] });
      it.come('db');
      if (before === service) it.come('web');
      it.send({ type: 'reload', specs: [db, { ...after, ...needs }] });
      if (before === service) it.go('web');
      if (after === cron) it.send({ type: 'start', units: ['web'] });
      expect(it.records.get('web')?.state).toBe('spawning');
    }
  });

  test('a restart with the present kind takes the change back, too', () => {
    const it = running();
    it.send({ type: 'reload', specs: [cron], ticket: 1 });
    it.send({ type: 'restart', units: ['web'], specs: [service], ticket: 2 });
    it.go('web');
    it.come('web');
    expect([kindOf(it), answers(it)]).toEqual(['service', [[1, 'started'], [2, 'started']]]);
  });

  test('one that was stopped stays down, also where its stop waits for its turn', () => {
    for (const [before, after] of [[service, cron], [cron, service]] as const) {
      const it = world([before]);
      it.send({ type: 'reload', specs: [after], ticket: 1 });
      expect([kindOf(it), it.effects, it.schedules.size, answers(it)]).toEqual([after === cron ? 'cron' : 'service', [], 0, [[1, 'stopped']]]);
    }
    const top = specOf({ name: 'top', dependsOn: [{ service: 'web', condition: 'started', onRestart: 'ignore' }] });
    const waiting = world([service, top], { start: ['web', 'top'] });
    waiting.come('web');
    waiting.come('top');
    waiting.send({ type: 'stop', units: ['web', 'top'], ticket: 1 });
    waiting.send({ type: 'reload', specs: [cron, top] });
    waiting.go('web');
    waiting.go('top');
    expect([kindOf(waiting), waiting.schedules.size, answers(waiting)]).toEqual(['cron', 0, [[1, 'stopped'], [1, 'stopped']]]);
  });

  test('a shutdown answers those that wait', () => {
    const it = running();
    it.send({ type: 'reload', specs: [cron], ticket: 1 });
    it.send({ type: 'shutdown', exitCode: 0 });
    it.go('web');
    expect(answers(it)).toEqual([[1, 'the supervisor is shutting down']]);
  });
});
