import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createActor, createMachine, setup, type AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { condensedChart, isLeftOut } from '../../src/chart/condense.ts';
import { chartDot } from '../../src/chart/dot.ts';
import { graphDot, graphJson, graphMermaid, graphText, type GraphUnit } from '../../src/chart/graph.ts';
import { chartConfig, machineConfig } from '../../src/chart/json.ts';
import { shownMachines, type ShownMachine } from '../../src/chart/machines.ts';
import { arrowsOf, countSteps, presentIn, type UnitMarks } from '../../src/chart/marks.ts';
import { chartMermaid } from '../../src/chart/mermaid.ts';
import { readChart, type Chart } from '../../src/chart/model.ts';
import { chartPages } from '../../.build/chart-pages.ts';
import { chartScxml } from '../../src/chart/scxml.ts';
import { drawDot } from '../../src/chart/svg.ts';
import { chartText, plainLook } from '../../src/chart/text.ts';
import { wordsOf } from '../../src/chart/words.ts';
import { options } from '../../src/cli/options.ts';
import { all, parseXml } from './xml.ts';

const service = shown('service');

function shown(name: string): ShownMachine {
  const found = shownMachines.find((machine) => machine.name === name);
  if (found === undefined) throw new Error(`no machine ${name}`);
  return found;
}

function marksOf(changes: Partial<UnitMarks>): UnitMarks {
  return { unit: 'web', phase: 'running', state: null, taken: [], ...changes };
}

function linesBetween(chart: Chart, from: string, to: string): readonly string[] {
  const arrow = arrowsOf(chart, null).find((candidate) => candidate.from?.endsWith(from) === true && candidate.to?.endsWith(to) === true);
  return arrow?.lines ?? [];
}

/** A machine of a test, as the supervisor's are offered. */
function shownAs(machine: AnyStateMachine): ShownMachine {
  return { name: machine.id, about: 'a machine', machine, leftOut: {} };
}

describe('what is read from a machine', () => {
  test('every state and every transition of the object that runs is in the whole chart', () => {
    for (const { machine } of shownMachines) {
      const chart = readChart(shownAs(machine));
      const config = machineConfig(machine);
      expect(chart.states.length).toBe(count(config.states));
      expect(chart.edges.length).toBeGreaterThan(chart.states.length);
    }
  });

  test('guards and actions read as words, with the parameters that are written down', () => {
    expect(wordsOf('sameGeneration')).toBe('same generation');
    expect(wordsOf({ type: 'verdictIs', params: { verdict: 'retry' } })).toBe('verdict is retry');
    expect(wordsOf({ type: 'plan', params: { deadline: 'grace' } })).toBe('plan grace');
    expect(wordsOf({ type: 'answer', params: () => ({ settlements: [] }) })).toBe('answer');
  });

  test('the command line offers every machine by name', () => {
    expect(options.machine.about.split(/ or |, | \(default\),? ?/).filter((name) => name !== '').toSorted()).toEqual(shownMachines.map(({ name }) => name).toSorted());
  });

  test('phases group the states of a service', () => {
    const phases = new Map(readChart(service).states.map(({ name, phase }) => [name, phase]));
    expect(phases.get('clearing')).toBe('stopping');
    expect(phases.get('spawning')).toBe('starting');
    expect(phases.get('active')).toBeNull();
  });
});

describe('the condensed chart', () => {
  const chart = condensedChart(service);

  test('a state that begins with a decision of its own is one state; a group is said of each of its members', () => {
    expect(chart.states.map(({ name }) => name)).toEqual([
      'stopped', 'failed', 'backoff', 'waiting', 'preparing', 'spawning', 'starting', 'running', 'ending', 'process', 'stopping', 'clearing', 'killing',
      'afterwards', 'rest', 'again', 'hold', 'judge', 'leave', 'judging', 'removed',
    ]);
    for (const state of ['spawning', 'starting', 'running']) {
      expect(linesBetween(chart, state, 'stopping')).toEqual(expect.arrayContaining(['stop + rest', 'restart + again', expect.stringMatching(/^limit\.exceeded.* \+ judge$/)]));
    }
    expect(linesBetween(chart, 'failed', 'stopped')).toEqual(['stop']);
  });

  test('what a member says itself of an event overrules its group', () => {
    expect(linesBetween(chart, 'afterwards.rest', 'afterwards.leave')).toHaveLength(1);
    expect(linesBetween(chart, 'afterwards.leave', 'afterwards.again')).toEqual(['reload']);
    expect(linesBetween(chart, 'backoff', 'waiting').join(' ')).toContain('start, restart, deadline.backoff');
  });

  test('only what changes the state is in it, and what is left out is said', () => {
    expect(chart.edges.every(({ from, to, reenters }) => from !== to || reenters)).toBe(true);
    expect(chart.remarks.join(' ')).toContain('adopt');
  });

  test('a decision takes no event of the whole machine, and its last way says so beside others to the same state', () => {
    const operation = condensedChart(shown('operation'));
    expect(operation.edges.filter(({ from, to }) => from === 'deciding' && to === 'settled').map(({ event, guard }) => [event, guard])).toEqual([[null, null]]);
    expect(chartText(operation, { marks: null, look: plainLook })).toMatch(/→ superseded +\[all were superseded\]\n +→ settled +otherwise\n/);
    const machine = createMachine({
      id: 'deciding', initial: 'choice',
      states: { choice: { always: [{ guard: 'isDue', target: 'over' }, 'over'] }, over: { on: { again: 'choice' }, always: { guard: 'isLate', target: 'choice' } } },
    });
    expect(linesBetween(condensedChart(shownAs(machine)), 'choice', 'over')).toEqual(['[is due]', 'otherwise']);
  });

  test('nothing is left out that is not there', () => {
    for (const machine of shownMachines) {
      const { edges } = readChart(machine);
      for (const [event, why] of Object.entries(machine.leftOut)) expect(edges.some((edge) => isLeftOut({ ...machine, leftOut: { [event]: why } }, edge)), event).toBe(true);
    }
  });

  test('a target that is a group means where the group begins', () => {
    const machine = createMachine({
      id: 'grouped', initial: 'idle',
      states: { idle: { on: { go: 'busy' } }, busy: { initial: 'first', on: { stop: 'idle' }, states: { first: { on: { next: 'second' } }, second: {} } } },
    });
    const edges = condensedChart(shownAs(machine)).edges.map(({ from, event, to }) => `${from} ${event} ${to}`);
    expect(edges.sort()).toEqual(['busy.first next busy.second', 'busy.first stop idle', 'busy.second stop idle', 'idle go busy.first']);
  });
});

describe('a unit in its chart', () => {
  const chart = condensedChart(service);

  test('its state is marked; while only the phase is known, all states of the phase', () => {
    const present = (marks: UnitMarks): readonly string[] => [...presentIn(chart, marks)].map((id) => id.split('.').at(-1) ?? '');
    expect(present(marksOf({ phase: 'stopping', state: 'killing' }))).toEqual(['killing']);
    expect(present(marksOf({ phase: 'stopping' }))).toEqual(['stopping', 'clearing', 'killing']);
    expect(chartText(chart, { marks: marksOf({ phase: 'stopping', state: 'killing' }), look: plainLook })).toContain('● killing');
  });

  test('what the journal has seen stands along the arrows, on both sides of a decision', () => {
    const taken = countSteps([
      { at: '2026-01-01T00:00:01.000Z', event: 'process.exited', from: 'running', to: 'clearing' },
      { at: '2026-01-01T00:00:01.100Z', event: 'process.gone', from: 'clearing', to: 'backoff' },
      { at: '2026-01-01T00:00:05.000Z', event: 'process.exited', from: 'running', to: 'clearing' },
      { at: '2026-01-01T00:00:05.100Z', event: 'process.gone', from: 'clearing', to: 'backoff' },
      { at: '2026-01-01T00:00:06.000Z', event: 'probe.ok', from: 'running', to: 'running' },
    ]);
    const arrows = arrowsOf(chart, marksOf({ taken }));
    const between = (from: string, to: string): unknown => arrows.find((arrow) => arrow.from?.endsWith(from) === true && arrow.to?.endsWith(to) === true)?.taken;
    expect(between('running', 'clearing')).toEqual({ count: 2, lastAt: '2026-01-01T00:00:05.000Z' });
    // What follows the end of the process stands in the other region.
    expect(between('judge', 'judging')).toEqual({ count: 2, lastAt: '2026-01-01T00:00:05.100Z' });
    expect(between('judging', 'backoff')).toEqual({ count: 2, lastAt: '2026-01-01T00:00:05.100Z' });
    expect(between('judging', 'failed')).toBeNull();
  });
});

describe('formats', () => {
  test('XState makes the same machine of the JSON: the same states, transitions, guards and actions', () => {
    for (const { machine } of shownMachines) {
      const again = createMachine(JSON.parse(JSON.stringify(machineConfig(machine))) as object);
      expect(machineConfig(again)).toEqual(machineConfig(machine));
      const { states, edges } = readChart(shownAs(machine));
      const { states: statesAgain, edges: edgesAgain } = readChart(shownAs(again));
      expect(statesAgain).toEqual(states);
      expect(edgesAgain).toEqual(edges);
    }
  });

  test('the machine of the JSON walks the same way when its guards are given answers', () => {
    const config = JSON.parse(JSON.stringify(machineConfig(service.machine))) as object;
    const yes = ['nothingHolds', 'failedButRetries'];
    const guards = Object.fromEntries(guardNames(config).map((name) => [name, () => yes.includes(name)]));
    const actor = createActor(setup({ guards }).createMachine(config)).start();
    const walk = ['start', 'process.spawned', 'deadline.alive', 'process.exited', 'process.gone', 'deadline.backoff'].map((type) => {
      actor.send({ type });
      return JSON.stringify(actor.getSnapshot().value);
    });
    expect(walk).toEqual([
      '{"active":"spawning"}', '{"active":{"starting":"unprobed"}}', '{"active":"running"}', '{"ending":{"process":"clearing","afterwards":"judge"}}', '{"idle":"backoff"}', '{"active":"spawning"}',
    ]);
  });

  test('with a unit JSON and SCXML have the machine and where the unit is in it', () => {
    const taken = [{ from: 'running', to: 'clearing', event: 'process.exited', count: 2, lastAt: '2026-01-01T00:00:05.000Z' }];
    const marks = marksOf({ phase: 'stopping', state: 'clearing', taken });
    const unit = { name: 'web', phase: 'stopping', present: ['ending.process.clearing'], taken: [{ from: 'running', to: 'clearing', event: 'process.exited', count: 2, last_at: '2026-01-01T00:00:05.000Z' }] };
    const config = chartConfig(service, marks);
    expect(config.meta).toMatchObject({ unit });
    expect(config.states?.['ending']?.states?.['process']?.states?.['clearing']?.tags).toEqual(['present']);
    expect(readChart(shownAs(createMachine(config as object))).edges).toEqual(readChart(service).edges);
    const data = all(parseXml(chartScxml(service, marks))).filter(({ name }) => name === 'data').map(({ attributes }) => attributes);
    expect(JSON.parse(data.find((each) => each.get('id') === 'unit')?.get('expr') ?? '')).toEqual(unit);
  });

  test('SCXML is well-formed, its ids are unique, and every target and every condition is declared', () => {
    for (const { machine } of shownMachines) {
      const root = parseXml(chartScxml(shownAs(machine), null));
      const elements = all(root);
      const ids = elements.filter(({ name }) => ['state', 'final', 'parallel'].includes(name)).map(({ attributes }) => attributes.get('id'));
      expect(new Set(ids).size).toBe(ids.length);
      const data = new Set(elements.filter(({ name }) => name === 'data').map(({ attributes }) => attributes.get('id')));
      expect(ids).toContain(root.attributes.get('initial'));
      for (const { name, attributes, children } of elements) {
        const target = attributes.get('target');
        if (target !== undefined) for (const id of target.split(' ')) expect(ids).toContain(id);
        if (attributes.has('cond')) expect(data).toContain(attributes.get('cond'));
        if (name === 'state' && attributes.has('initial')) expect(children.map((child) => child.attributes.get('id'))).toContain(attributes.get('initial'));
      }
      expect(ids.filter((id) => id !== machine.id).length).toBe(readChart(shownAs(machine)).states.length);
    }
  });

  test('Mermaid and DOT have every state of the chart, and the present one stands out', () => {
    const chart = condensedChart(service);
    const marks = marksOf({ state: 'running' });
    const mermaid = chartMermaid(chart, marks);
    for (const { name, kind } of chart.states) if (kind !== 'decision') expect(mermaid).toContain(`state "${name}" as `);
    expect(mermaid).toContain('class s_active_running present');
    expect(chartDot(chart, marks)).toMatch(/"active\.running" \[.*penwidth=3/);
  });

  test('a picture is a whole SVG with every state in it', async () => {
    for (const chart of [condensedChart(service), readChart(service)]) {
      const svg = await drawDot(chartDot(chart, null));
      expect(svg).toContain('</svg>');
      for (const { name } of chart.states) expect(svg).toContain(`>${name}</text>`);
    }
  });

  test('the pages of the documentation are what the machines say', async () => {
    const folder = resolve(import.meta.dirname, '../../docs/charts');
    const pages = await chartPages();
    expect(readdirSync(folder).sort()).toEqual(pages.map(({ file }) => file).sort());
    for (const { file, text } of pages) expect(readFileSync(join(folder, file), 'utf8'), `${file}; run: node .build/charts.mjs`).toBe(text);
  });
});

describe('the units and what they need', () => {
  const units: readonly GraphUnit[] = [
    { name: 'api "one"', phase: 'backoff', state: 'backoff', isCron: false, needs: [{ service: 'db', condition: 'healthy', restarts: true }, { service: 'job', condition: 'started', restarts: false }] },
    { name: 'db', phase: 'stopped', state: 'completed', isCron: false, needs: [] },
    { name: 'job', phase: null, state: null, isCron: true, needs: [] },
  ];

  test('text has dependencies first, each with its state, which says of a one-shot that it has completed', () => {
    expect(graphText(units, plainLook)).toBe([
      'db         completed', 'job                   cron', 'api "one"  backoff    needs db (healthy, restarts with it), job (started)', '',
    ].join('\n'));
  });

  test('states stand below each other also behind wide names', () => {
    const named = ['日本', 'e\u0301', 'db'].map((name): GraphUnit => ({ name, phase: 'running', state: 'running', isCron: false, needs: [] }));
    expect(graphText(named, plainLook)).toBe('日本  running\ne\u0301     running\ndb    running\n');
  });

  test('other formats quote names and keep both kinds of edges apart', async () => {
    expect(graphDot(units)).toMatch(/"\(label 0\)" \[.*>healthy<\/font>[^]*"api \\"one\\"" -> "\(label 0\)" \[arrowhead=none\]\n +"\(label 0\)" -> "db"\n/);
    expect(graphDot(units)).toMatch(/"\(label 1\)" \[.*>started<\/font>[^]*"api \\"one\\"" -> "\(label 1\)" \[arrowhead=none, style=dashed\]\n +"\(label 1\)" -> "job" \[style=dashed\]\n/);
    expect(graphMermaid(units)).toContain('u0 -.->|started| u2');
    expect(JSON.parse(graphJson(units))).toMatchObject({ units: [{ name: 'api "one"', depends_on: [{ service: 'db', on_restart: 'restart' }, {}] }, { phase: 'stopped', state: 'completed' }, { kind: 'cron' }] });
    expect(graphMermaid(units)).toContain('class u1 completed');
    expect(await drawDot(graphDot(units))).toContain('api &quot;one&quot;');
  });
});

function count(states: unknown): number {
  if (typeof states !== 'object' || states === null) return 0;
  return Object.values(states).reduce((sum: number, state: { states?: unknown }) => sum + 1 + count(state.states), 0);
}

function guardNames(config: unknown): readonly string[] {
  const found = [...JSON.stringify(config).matchAll(/"guard":(?:"(\w+)"|\{"type":"(\w+)")/g)];
  return [...new Set(found.map(([, plain, typed]) => plain ?? typed ?? ''))];
}
