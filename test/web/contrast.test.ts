import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const css = readFileSync(join(import.meta.dirname, '../../src/web/page/page.css'), 'utf8');
/** The colours of each theme by their names; the dark one is laid over the light one. */
const [light = new Map<string, string>(), darker = new Map<string, string>()] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, block = '']) => (
  new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{3,6})\b/g)].map(([, name = '', value = '']) => [name, value]))));
const themes = [['light', light], ['dark', new Map([...light, ...darker])]] as const;

const states = [...light.keys()].filter((name) => name.startsWith('p-'));
const pairs: readonly (readonly [least: number, names: readonly string[], grounds: readonly string[]])[] = [
  [4.5, ['text', 'faint', 'accent', 'good', 'warn', 'bad'], ['ground', 'panel', 'select', 'calm-ground']],
  [4.5, ['good'], ['good-ground']], [4.5, ['warn'], ['warn-ground']], [4.5, ['bad'], ['bad-ground']],
  // The word of a state is written in the colour of the panel on that of the state.
  [4.5, states, ['panel']],
  [3, [...states, 'cpu', 'memory', 'edge'], ['ground', 'panel', 'calm-ground']],
];

test.each(themes)('text stands out from its ground by 4.5, what is drawn by 3, as WCAG 2.2 has it: %s', (_, colours) => {
  expect(states.length).toBe(7);
  const poor = pairs.flatMap(([least, names, grounds]) => names.flatMap((name) => grounds.flatMap((ground) => {
    const found = contrast(colours.get(name) ?? '', colours.get(ground) ?? '');
    return found >= least ? [] : [`${name} on ${ground}: ${found.toFixed(2)}, expected ${least}`];
  })));
  expect(poor).toEqual([]);
});

function contrast(one: string, other: string): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].toSorted((least, most) => least - most);
  return (bright + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const digits = colour.length === 4 ? colour.slice(1).replaceAll(/./g, '$&$&') : colour.slice(1);
  const [red = Number.NaN, green = 0, blue = 0] = (digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16) / 255).map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
