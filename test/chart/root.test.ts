import { describe, expect, test } from 'vitest';
import { condensedChart } from '../../src/chart/condense.ts';
import { overviewChart } from '../../src/chart/overview.ts';
import { shownMachines } from '../../src/chart/machines.ts';
import { chartMermaid } from '../../src/chart/mermaid.ts';
import { chartText, plainLook } from '../../src/chart/text.ts';
import { specOf } from '../machines/rig.ts';
import { world, type World } from '../machines/supervisor-rig.ts';

const [, shown] = shownMachines;
if (shown?.name !== 'supervisor') throw new Error('the root is the second machine');
const chart = condensedChart(shown);

describe('the condensed chart of the root', () => {
  /** The states in which an event spawns an operation, as the chart has it. */
  const spawning = new Map(['booting', 'serving', 'ending'].map((state) => [
    state, chart.edges.flatMap(({ from, to, event }) => (from === `working.${state}` && to === 'operation' ? [event] : [])).toSorted(),
  ]));

  test('says of each event whether the root that runs opens an operation for it', () => {
    const specs = [specOf({ name: 'api', essential: true, restart: { mode: 'never' } }), specOf({ name: 'db' })];
    const commands = {
      start: { units: ['db'] }, stop: { units: ['db'] }, restart: { units: ['db'] }, reload: { specs: [...specs, specOf({ name: 'new' })] }, shutdown: { exitCode: 0 },
      signal: { unit: 'db', signal: 'SIGHUP' }, hurry: {}, recovered: { unit: 'db', adopt: null },
      spawn: { order: { unit: 'db', generation: 1, argv: ['true'], parentPid: 1, parent: null, logLevel: null }, usedBytes: 0 },
    } as const;
    const opened = (prepare: (made: World) => void): readonly string[] => [
      ...Object.entries(commands).flatMap(([type, more]) => (opens(prepare, ({ send }) => send({ type: type as keyof typeof commands, ...more })) ? [type] : [])),
      ...(opens(prepare, ({ report, go, state }) => (state('api') === 'stopping' ? report('api', 'process.gone') : go('api', 1))) ? ['unit.changed'] : []),
    ].toSorted();
    const opens = (prepare: (made: World) => void, act: (made: World) => void): boolean => {
      const made = world(specs, { start: ['api', 'db'] });
      for (const { name } of specs) made.come(name);
      prepare(made);
      let count = 0;
      const watching = made.root.system.inspect(({ type, actorRef }) => {
        count += Number(type === '@xstate.actor' && 'id' in actorRef && String(actorRef.id).startsWith('operation.'));
      });
      act(made);
      watching.unsubscribe();
      return count > 0;
    };
    expect(spawning.get('serving')).toEqual(opened(() => undefined));
    expect(spawning.get('ending')).toEqual(opened(({ send }) => send({ type: 'shutdown', exitCode: 0 })));
    expect(spawning.get('booting')).toEqual(['boot', 'shutdown']);
  });

  test('shows an operation within a frame: spawned, waiting for its turn, superseded, giving orders, ended', () => {
    const text = chartText(chart, { marks: null, look: plainLook });
    expect(text).toMatch(/→ operation +shutdown, start, stop, restart, reload \/ spawn operation\n +unit\.changed \[is essential\] \/ spawn operation\n/);
    const frame = text.slice(text.indexOf('\n  operation\n'));
    for (const line of ['→ deciding    [some are due] / order those due', '→ waiting     [some wait]', '→ deciding    way.clear, unit.settled, supersede', '→ superseded  [all were superseded]', 'on entry: report done']) {
      expect(frame).toContain(line);
    }
    expect(chart.remarks.join('\n')).not.toMatch(/\b20 kinds/);
    const operation = condensedChart(shown.spawns?.spawned ?? shown);
    expect(chart.edges.filter(({ from }) => from?.startsWith('operation.')).length).toBe(operation.edges.length);
  });

  test('keeps the ends of an operation where it fits beside other things', () => {
    const ends = overviewChart(chart).states.filter(({ kind }) => kind === 'final').map(({ name }) => name);
    expect(ends).toEqual(['settled', 'superseded']);
    expect(overviewChart(condensedChart(shown.spawns?.spawned ?? shown)).states.some(({ kind }) => kind === 'final')).toBe(false);
  });

  test('ends an operation, and not the root, where one ends in Mermaid', () => {
    const lines = chartMermaid(chart, null).split('\n');
    const frame = lines.slice(lines.indexOf('  state "operation" as s_operation {'), lines.indexOf('  }') + 1);
    expect(frame.filter((line) => line.endsWith('--> [*]'))).toEqual(['    s_operation_settled --> [*]', '    s_operation_superseded --> [*]']);
    expect(lines.filter((line) => line.endsWith('--> [*]'))).toHaveLength(2);
  });
});
