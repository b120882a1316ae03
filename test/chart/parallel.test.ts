import { createActor, createMachine, not, stateIn } from 'xstate';
import { describe, expect, test } from 'vitest';
import { condensedChart } from '../../src/chart/condense.ts';
import { chartDot } from '../../src/chart/dot.ts';
import { machineConfig } from '../../src/chart/json.ts';
import type { ShownMachine } from '../../src/chart/machines.ts';
import { presentIn, type UnitMarks } from '../../src/chart/marks.ts';
import { chartMermaid } from '../../src/chart/mermaid.ts';
import { readChart } from '../../src/chart/model.ts';
import { chartScxml } from '../../src/chart/scxml.ts';
import { drawDot } from '../../src/chart/svg.ts';
import { chartText, plainLook } from '../../src/chart/text.ts';
import { all, parseXml } from './xml.ts';

/** How a process is ended, and what comes after it, at once: an order may change the second while the first goes on. */
const machine = createMachine({
  id: 'unit', initial: 'running',
  states: {
    running: {
      meta: { phase: 'running' },
      on: { stop: 'ending', restart: { target: ['#unit.ending.process.stopping', '#unit.ending.afterwards.again'] }, exit: '#unit.ending.process.clearing' },
    },
    ending: {
      type: 'parallel', meta: { phase: 'stopping' },
      on: { gone: [{ guard: stateIn('#unit.ending.afterwards.rest'), target: 'stopped' }, { guard: not(stateIn({ ending: { afterwards: 'rest' } })), target: 'running' }], restart: '.afterwards.again' },
      states: {
        process: {
          initial: 'stopping',
          states: {
            stopping: { meta: { deadline: ['grace'] }, entry: 'orderStop', on: { 'deadline.grace': 'killing' } },
            clearing: { on: { 'deadline.grace': 'killing' } },
            killing: { entry: 'orderKill' },
          },
        },
        afterwards: { initial: 'rest', states: { rest: {}, again: { on: { stop: 'rest' } } } },
      },
    },
    stopped: { meta: { phase: 'stopped' }, type: 'final' },
  },
});
const shown: ShownMachine = { name: 'unit', about: 'a machine', machine, leftOut: {} };
const condensed = condensedChart(shown);

function marksIn(...events: readonly string[]): UnitMarks {
  const actor = createActor(machine).start();
  for (const type of events) actor.send({ type });
  return { unit: 'web', phase: 'stopping', state: actor.getSnapshot().value, taken: [] };
}

describe('a parallel state', () => {
  test('stays a frame in a condensed chart, with its regions in it', () => {
    expect(condensed.states.map(({ id, kind, parent, initial }) => [id, kind, parent, initial])).toEqual([
      ['running', 'plain', null, true], ['ending', 'parallel', null, false],
      ['ending.process', 'region', 'ending', false], ['ending.process.stopping', 'plain', 'ending.process', true],
      ['ending.process.clearing', 'plain', 'ending.process', false], ['ending.process.killing', 'plain', 'ending.process', false],
      ['ending.afterwards', 'region', 'ending', false], ['ending.afterwards.rest', 'plain', 'ending.afterwards', true],
      ['ending.afterwards.again', 'plain', 'ending.afterwards', false], ['stopped', 'final', null, false],
    ]);
  });

  test('is drawn as text: what the frame does beside it, then each region', () => {
    expect(chartText(condensed, { marks: marksIn('restart'), look: plainLook })).toBe([
      'unit: a machine', 'web is in stopping and again', '', 'RUNNING', '  running  begins here',
      '    → ending      stop', '    → stopping    restart + again', '    → clearing    exit', '',
      'STOPPING', '  ending  all of these at once', '    → stopped     gone [in rest]', '    → running     gone [not in rest]', '',
      '    process', '', '    ● stopping  begins here, deadline grace', '          on entry: order stop', '        → killing     deadline.grace', '',
      '      clearing', '        → killing     deadline.grace', '', '      killing', '          on entry: order kill', '',
      '    afterwards', '', '      rest  begins here', '        → again       restart', '', '    ● again', '        → rest        stop', '',
      '  stopped  ends here', '',
    ].join('\n'));
  });

  test('has one active state in each region', () => {
    expect([...presentIn(condensed, marksIn('restart', 'deadline.grace'))]).toEqual(['ending.process.killing', 'ending.afterwards.again']);
    expect([...presentIn(readChart(shown), marksIn('stop'))]).toEqual(['ending.process.stopping', 'ending.afterwards.rest']);
    expect([...presentIn(condensed, { ...marksIn(), state: 'killing' })]).toEqual(['ending.process.killing']);
    expect([...presentIn(condensed, { ...marksIn(), state: null })]).toEqual(['ending.process.stopping', 'ending.process.clearing', 'ending.process.killing', 'ending.afterwards.rest', 'ending.afterwards.again']);
  });

  test('is drawn for Mermaid, with two dashes between its regions', () => {
    const mermaid = chartMermaid(condensed, marksIn('restart'));
    expect(mermaid).toContain('  state "stopping" as phase_stopping {\n    state "ending" as s_ending {\n      state "process" as s_ending_process {\n        [*] --> s_ending_process_stopping\n');
    expect(mermaid).toContain('      }\n      --\n      state "afterwards" as s_ending_afterwards {\n        [*] --> s_ending_afterwards_rest\n');
    expect(mermaid).toContain('s_running --> s_ending_process_stopping: restart + again\n');
    expect(mermaid).toContain('s_ending --> s_stopped: gone [in rest]\n');
    for (const id of ['s_ending_process_stopping', 's_ending_afterwards_again']) expect(mermaid).toContain(`class ${id} present`);
    // An arrow from a frame to what is inside it cannot be laid out.
    expect(condensed.edges.filter(({ from, to }) => to?.startsWith(`${from}.`))).toEqual([]);
  });

  test('is drawn as a picture with frames in frames, and arrows that end at them', async () => {
    const dot = chartDot(condensed, marksIn('restart'));
    expect(dot).toMatch(/subgraph "cluster_ending" \{[^]*subgraph "cluster_ending.process" \{\n +graph \[label=<.*>process<.*dashed/);
    // What is said of an arrow is a node on its way.
    expect(dot).toMatch(/"\(label 0\)" \[shape=plain, .*>stop<\/font>/);
    expect(dot).toContain('"running" -> "(label 0)" [arrowhead=none]\n  "(label 0)" -> "ending.process.stopping" [lhead="cluster_ending"]');
    expect(dot).toContain('ltail="cluster_ending"');
    expect(dot.match(/penwidth=3/g)).toHaveLength(2);
    const svg = await drawDot(dot);
    for (const { name } of condensed.states) expect(svg).toContain(`>${name}</text>`);
  });

  test('is the same machine when it is made from its JSON', () => {
    const again = createMachine(JSON.parse(JSON.stringify(machineConfig(machine))) as object);
    expect(machineConfig(again).states?.['ending']).toEqual(machineConfig(machine).states?.['ending']);
    const actor = createActor(again).start();
    actor.send({ type: 'restart' });
    expect(actor.getSnapshot().value).toEqual({ ending: { process: 'stopping', afterwards: 'again' } });
  });

  test('is a parallel element of SCXML, entered at one state of each region', () => {
    const elements = all(parseXml(chartScxml(shown, null)));
    const parallel = elements.find(({ name }) => name === 'parallel');
    expect(parallel?.attributes).toEqual(new Map([['id', 'ending']]));
    expect(parallel?.children.filter(({ name }) => name === 'state').map(({ attributes }) => attributes.get('initial'))).toEqual(['ending.process.stopping', 'ending.afterwards.rest']);
    expect(elements.find(({ attributes }) => attributes.get('event') === 'restart')?.attributes.get('target')).toBe('ending.process.stopping ending.afterwards.again');
    expect(elements.filter(({ attributes }) => attributes.get('event') === 'gone').map(({ attributes }) => attributes.get('cond'))).toEqual(["In('ending.afterwards.rest')", "!In('ending.afterwards.rest')"]);
  });
});
