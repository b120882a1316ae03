import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { ServiceSpec } from '../../machines/types.ts';
import { viewUnit } from '../../machines/view.ts';
import { specOf } from '../machines/rig.ts';
import { happen, world, type World } from '../machines/supervisor-rig.ts';

/** `WALKS=20000` for longer; the seed is printed by what fails. */
const numRuns = Number(process.env['WALKS'] ?? 200);
const seed = process.env['WALKS'] === undefined ? 14 : Date.now();

type Kind = 'service' | 'other service' | 'cron' | 'absent';
type Move =
  | { readonly command: 'start' | 'stop' | 'restart'; readonly units: readonly string[] }
  | { readonly reload: { readonly db: Kind; readonly web: Kind } }
  /** What the process of a unit does next. */
  | { readonly happens: string; readonly exits: boolean };

const names = ['db', 'web'] as const;
const kind = fc.constantFrom<Kind>('service', 'other service', 'cron', 'absent');
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ command: fc.constantFrom('start', 'stop', 'restart'), units: fc.constantFrom(['db'], ['web'], ['db', 'web']) }),
  fc.record({ reload: fc.record({ db: kind, web: kind }) }),
  fc.record({ happens: fc.constantFrom(...names), exits: fc.boolean() }),
);

function specsOf(kinds: Readonly<Record<string, Kind>>): readonly ServiceSpec[] {
  return names.flatMap((name) => {
    const is = kinds[name] ?? 'absent';
    const dependsOn = name === 'web' && kinds['db'] !== 'absent' ? [{ service: 'db', condition: 'started', onRestart: 'restart' } as const] : [];
    const spec = specOf({ name, dependsOn, definition: { process: is, policy: dependsOn.length === 0 ? 'alone' : 'q1' }, restart: { mode: 'never' } });
    const cron = { expression: '* * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } as const;
    return is === 'absent' ? [] : [is === 'cron' ? { ...spec, cron } : spec];
  });
}

const stateOf = ({ root }: World, name: string): string => viewUnit(root.getSnapshot(), name)?.state ?? 'absent';

test('two units that come, go and become units of the other kind under every sort of command: each client has its answers, and each unit is what it is to be', () => {
  // XState says so where a unit that ends in a step was sent something else in that step.
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  onTestFinished(() => warned.mockRestore());
  fc.assert(fc.property(fc.array(move, { maxLength: 14 }), (moves) => {
    let kinds: Readonly<Record<string, Kind>> = { db: 'service', web: 'service' };
    const wanted = new Map<string, 'up' | 'down' | 'either'>(names.map((name) => [name, 'up']));
    const it = world(specsOf(kinds), { start: names });
    const owed: string[] = [];
    let ticket = 0;
    for (const each of moves) {
      if ('happens' in each) happen(it, each.happens, stateOf(it, each.happens), each.exits ? 0 : null);
      else if ('reload' in each) {
        const begins = (name: string): boolean => kinds[name] === 'absent' || ((kinds[name] === 'cron') !== (each.reload[name as 'web'] === 'cron') && wanted.get(name) === 'up');
        // What a reload starts brings what it needs; what takes its change back before it was carried out is not started again.
        if (each.reload.web !== 'absent' && begins('web')) wanted.set('web', 'up').set('db', wanted.get('db') === 'up' ? 'up' : 'either');
        for (const name of names) {
          if (each.reload[name] === 'absent') wanted.delete(name);
          else if (begins(name)) wanted.set(name, 'up');
        }
        kinds = each.reload;
        it.send({ type: 'reload', specs: specsOf(kinds) });
      } else {
        const { command, units } = each;
        const present = units.filter((name) => kinds[name] !== 'absent');
        ticket += 1;
        owed.push(...present.map((name) => `${ticket} ${name}`));
        for (const name of present) wanted.set(name, command === 'stop' ? 'down' : 'up');
        if (command === 'start' && present.includes('web') && kinds['db'] !== 'absent') wanted.set('db', 'up');
        it.send({ type: command, units: present, ticket, ...(command === 'restart' && { specs: specsOf(kinds) }) });
      }
    }
    for (let round = 0; round < 100 && names.map((name) => happen(it, name, stateOf(it, name), null)).includes(true); round += 1);
    const { units, operations, underOrder } = it.root.getSnapshot().context;
    expect(it.answers.map((answer) => `${answer.ticket} ${answer.unit}`).toSorted()).toEqual(owed.toSorted());
    expect([operations.size, underOrder]).toEqual([0, 0]);
    for (const name of names) {
      const unit = units.get(name);
      expect([name, unit?.spec.definition.process ?? 'absent', unit?.returning ?? null]).toEqual([name, kinds[name], null]);
      if (wanted.get(name) === 'either') continue;
      if (unit !== undefined) expect([name, viewUnit(it.root.getSnapshot(), name)?.wanted]).toEqual([name, wanted.get(name)]);
      expect([name, it.schedules.has(name)]).toEqual([name, kinds[name] === 'cron' && wanted.get(name) === 'up']);
    }
  }), { numRuns, seed });
}, 10_000 * numRuns);
