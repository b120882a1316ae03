import { styleText } from 'node:util';

export type Paint = (text: string) => string;

export interface Look {
  /** Columns; null: as wide as it takes. */
  readonly width: number | null;
  readonly color: boolean;
  /** A mark before each state. */
  readonly glyphs?: boolean;
}

export type Palette = ReturnType<typeof palette>;

/** What is coloured how; without colour every paint leaves its text alone. */
export function palette(enabled: boolean) {
  const paint = (style: Parameters<typeof styleText>[0]): Paint => (enabled ? (text) => styleText(style, text, { validateStream: false }) : String);
  const [bold, dim, green, red, yellow, gray] = [paint('bold'), paint('dim'), paint('green'), paint('red'), paint('yellow'), paint('gray')];
  const [cyan, magenta, inverse] = [paint('cyan'), paint('magenta'), paint('inverse')];
  const [blue, brightCyan] = [paint('blueBright'), paint('cyanBright')];
  const apart = [cyan, yellow, green, magenta, blue, brightCyan];
  const states = new Map<string, Paint>([
    ['running', green], ['completed', green], ['failed', red], ['zombie', red], ['missing', red], ['backoff', yellow],
    ['starting', yellow], ['stopping', yellow], ['unready', yellow], ['halted', yellow],
  ]);
  const healths = new Map<string, Paint>([['healthy', green], ['degraded', yellow], ['failing', red]]);
  return {
    title: bold, faint: dim, heading: (text: string): string => bold(cyan(text)), inverse, cpu: cyan, memory: magenta, failure: red,
    /** One of six colours, to tell that many things apart. */
    oneOf: (index: number): Paint => apart[index % apart.length] ?? cyan,
    state: (word: string): Paint => states.get(word) ?? gray, health: (word: string): Paint => healths.get(word) ?? gray,
    /** By how full something is, in percent. */
    fullness: (percent: number): Paint => (percent <= 50 ? green : percent <= 70 ? cyan : percent <= 90 ? yellow : red),
  };
}
