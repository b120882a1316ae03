import { describe, expect, test } from 'vitest';
import { condensedChart } from '../../src/chart/condense.ts';
import { chartDot } from '../../src/chart/dot.ts';
import { textWidth } from '../../src/chart/labels.ts';
import { graphDot, type GraphUnit } from '../../src/chart/graph.ts';
import { shownMachines } from '../../src/chart/machines.ts';
import { readChart, type Chart } from '../../src/chart/model.ts';
import { drawDot } from '../../src/chart/svg.ts';
import { faultsOf, fonts, readPicture, widthIn } from './picture.ts';

const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');

test('room is made for the widest font', () => {
  for (const character of ascii) {
    for (const isBold of [false, true]) {
      expect(textWidth(character, 10, isBold)).toBe(Math.max(...fonts.map((font) => widthIn(font, character, 10, isBold))));
    }
  }
});

describe('in the picture of a machine no text leaves its box, or touches an arrow or other text', () => {
  test.each(shownMachines.flatMap((shown) => [[shown.name, 'condensed', condensedChart(shown)], [shown.name, 'whole', readChart(shown)]] satisfies [string, string, Chart][]))('%s, %s', async (_, __, chart) => {
    const svg = await drawDot(chartDot(chart, null));
    for (const font of fonts) {
      const picture = readPicture(svg, font);
      expect(picture.nodes.length).toBeGreaterThanOrEqual(chart.states.filter(({ kind }) => kind === 'plain' || kind === 'final').length);
      expect(faultsOf(picture)).toEqual([]);
    }
  });
});

test.each(['running', 'ending.process.stopping', 'backoff', 'failed'])('nor where a unit is in %s and has come by many ways', async (state) => {
  const [shown] = shownMachines;
  if (shown === undefined) throw new Error('no machine');
  const chart = condensedChart(shown);
  const names = new Map(chart.states.map(({ id, name }) => [id, name]));
  const taken = chart.edges.filter((_, index) => index % 3 !== 0).flatMap(({ from, to, event }) => (
    from === null || to === null ? [] : [{ from: names.get(from) ?? '', to: names.get(to) ?? '', event: event ?? '', count: 12, lastAt: '2026-03-08T14:02:11.000Z' }]));
  const svg = await drawDot(chartDot(chart, { unit: 'web', phase: 'running', state: state.split('.').at(-1) ?? state, taken }));
  expect(svg).toContain('×12, last');
  for (const font of fonts) expect(faultsOf(readPicture(svg, font))).toEqual([]);
});

test('nor in that of the units and what they need', async () => {
  const names = ['db', 'cache', 'migrate-the-wide-MMMM-database', 'api', 'web', 'worker', 'mailer'];
  const units = names.map((name, index): GraphUnit => ({
    name, phase: 'running', state: index % 2 === 0 ? 'running' : 'completed', isCron: index === 6,
    needs: names.slice(0, index).map((service, at) => ({ service, condition: ['started', 'healthy', 'completed'][at % 3] ?? '', restarts: at % 2 === 0 })),
  }));
  const svg = await drawDot(graphDot(units));
  for (const font of fonts) expect(faultsOf(readPicture(svg, font))).toEqual([]);
});

test('what is wrong with a picture is found', async () => {
  const dot = 'digraph g { node [shape=box, fontsize=12, fontname="Helvetica", margin=0]; a [label="MMMMMMMMMMMMMMMM"]; a -> b [label="wwwwwwwwwwwwww"]; b -> c; a -> c }';
  expect(faultsOf(readPicture(await drawDot(dot), 'dejavu')).join('\n')).toContain('leaves the box of a');
});
