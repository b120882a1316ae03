import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a picture by Graphviz shows, with the room that its texts take in the fonts of viewers. Points; y grows downwards. */
export interface Picture {
  readonly nodes: readonly Shape[];
  readonly frames: readonly Shape[];
  readonly edges: readonly { readonly title: string; readonly points: readonly Point[] }[];
}

export interface Shape {
  readonly title: string;
  /** Null: it is text alone. */
  readonly outline: readonly Point[] | null;
  readonly texts: readonly Text[];
}

export interface Text extends Rectangle {
  readonly text: string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

interface Rectangle {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export const fonts = ['dejavu', 'liberation'] as const;
export type Font = (typeof fonts)[number];

const widths = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/charts/font-widths.json'), 'utf8')) as Record<Font | `${Font}Bold`, readonly number[]>;

export function widthIn(font: Font, text: string, size: number, isBold: boolean): number {
  const table = widths[isBold ? `${font}Bold` as const : font];
  return [...text].reduce((sum, character) => sum + (table[character.charCodeAt(0) - 32] ?? 1000), 0) * size / 1000;
}

export function readPicture(svg: string, font: Font): Picture {
  const groups = [...svg.matchAll(/<g class="(node|edge|cluster)">\n<title>([^<]*)<\/title>\n([^]*?)<\/g>/g)]
    .map(([, kind, title = '', body = '']) => ({ kind, title: plain(title), body }));
  const shapes = (wanted: string): Shape[] => groups.filter(({ kind }) => kind === wanted).map(({ title, body }) => ({ title, outline: outlineIn(body), texts: textsIn(body, font) }));
  return {
    nodes: shapes('node'), frames: shapes('cluster'),
    edges: groups.filter(({ kind }) => kind === 'edge').map(({ title, body }) => ({ title, points: [...body.matchAll(/<path [^>]*d="([^"]+)"/g)].flatMap(([, path = '']) => sampled(path)) })),
  };
}

function textsIn(body: string, font: Font): Text[] {
  return [...body.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)].map(([, attributes = '', escaped = '']) => {
    const attribute = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
    const text = plain(escaped);
    const [x, y, size] = [Number(attribute('x')), Number(attribute('y')), Number(attribute('font-size'))];
    const width = widthIn(font, text, size, attribute('font-weight') === 'bold');
    const left = x - (attribute('text-anchor') === 'middle' ? width / 2 : attribute('text-anchor') === 'end' ? width : 0);
    return { text, left, right: left + width, top: y - 0.76 * size, bottom: y + 0.24 * size };
  });
}

function outlineIn(body: string): readonly Point[] | null {
  const polygon = /<polygon [^>]*points="([^"]+)"/.exec(body)?.[1];
  if (polygon !== undefined) return pairs(polygon);
  const path = /<path [^>]*d="([^"]+)"/.exec(body)?.[1];
  const ellipse = /<ellipse [^>]*cx="([^"]+)" cy="([^"]+)" rx="([^"]+)" ry="([^"]+)"/.exec(body);
  if (ellipse !== null) {
    const [cx = 0, cy = 0, rx = 0, ry = 0] = ellipse.slice(1).map(Number);
    return Array.from({ length: 16 }, (_, index) => ({ x: cx + rx * Math.cos((index * Math.PI) / 8), y: cy + ry * Math.sin((index * Math.PI) / 8) }));
  }
  return path === undefined ? null : sampled(path);
}

/** Points on a path of cubic Bézier curves, close together. */
function sampled(path: string): Point[] {
  const [start, ...controls] = pairs(path.replaceAll(/[MCZ]/g, ' '));
  if (start === undefined) return [];
  const points = [start];
  for (let index = 0; index + 2 < controls.length; index += 3) {
    const [one, two, three, four] = [points.at(-1) ?? start, controls[index] ?? start, controls[index + 1] ?? start, controls[index + 2] ?? start];
    for (let step = 1; step <= 40; step += 1) {
      const t = step / 40;
      const at = (a: number, b: number, c: number, d: number): number => (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t ** 2 * c + t ** 3 * d;
      points.push({ x: at(one.x, two.x, three.x, four.x), y: at(one.y, two.y, three.y, four.y) });
    }
  }
  return points;
}

function pairs(text: string): Point[] {
  const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?/g)].map(Number);
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({ x: numbers[index * 2] ?? 0, y: numbers[index * 2 + 1] ?? 0 }));
}

function plain(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code))).replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}

/** What is wrong with a picture: text that leaves its box, or touches an arrow or other text. */
export function faultsOf(picture: Picture): string[] {
  const faults: string[] = [];
  const { nodes, frames, edges } = picture;
  for (const { title, outline, texts } of [...nodes, ...frames]) {
    if (outline === null) continue;
    for (const text of texts) if (!cornersOf(text).every((corner) => contains(outline, corner))) faults.push(`"${text.text}" leaves the box of ${title}`);
  }
  const words = [...nodes.filter(({ outline }) => outline === null), ...frames].flatMap(({ title, texts }) => texts.map((text) => ({ title, text })));
  const bounded = edges.map((edge) => ({ ...edge, bounds: boundsOf(edge.points) }));
  for (const { title, text } of words) {
    for (const edge of bounded) if (overlaps(edge.bounds, text) && crosses(edge.points, text)) faults.push(`"${text.text}" of ${title} is touched by the arrow ${edge.title}`);
    for (const { title: other, outline } of nodes) if (outline !== null && overlaps(boundsOf(outline), text) && crosses([...outline, outline[0] ?? { x: 0, y: 0 }], text)) faults.push(`"${text.text}" of ${title} is touched by the box of ${other}`);
  }
  for (const [index, one] of words.entries()) {
    for (const other of words.slice(index + 1)) if (overlaps(one.text, other.text)) faults.push(`"${one.text.text}" touches "${other.text.text}"`);
  }
  return faults;
}

function boundsOf(points: readonly Point[]): Rectangle {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  return { left: Math.min(...xs) - 1, right: Math.max(...xs) + 1, top: Math.min(...ys) - 1, bottom: Math.max(...ys) + 1 };
}

function cornersOf({ left, right, top, bottom }: Rectangle): Point[] {
  return [{ x: left, y: top }, { x: right, y: top }, { x: left, y: bottom }, { x: right, y: bottom }];
}

function contains(outline: readonly Point[], { x, y }: Point): boolean {
  let isInside = false;
  for (const [index, one] of outline.entries()) {
    const other = outline[(index + 1) % outline.length] ?? one;
    if (one.y > y !== other.y > y && x < ((other.x - one.x) * (y - one.y)) / (other.y - one.y) + one.x) isInside = !isInside;
  }
  return isInside;
}

function crosses(points: readonly Point[], box: Rectangle): boolean {
  return points.some((point, index) => {
    const next = points[index + 1] ?? point;
    const steps = Math.max(1, Math.ceil(Math.hypot(next.x - point.x, next.y - point.y)));
    return Array.from({ length: steps }, (_, step) => step / steps).some((share) => {
      const [x, y] = [point.x + (next.x - point.x) * share, point.y + (next.y - point.y) * share];
      return x > box.left && x < box.right && y > box.top && y < box.bottom;
    });
  });
}

function overlaps(one: Rectangle, other: Rectangle): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}
