import { instance } from '@viz-js/viz';

/**
 * A picture of a DOT text, laid out by Graphviz: 1.2 MB, to be loaded when a picture is asked for and not before.
 *
 * Boxes are measured for Helvetica, and the viewer's font may be wider: the text is drawn a little smaller than it was measured.
 */
export async function drawDot(dot: string): Promise<string> {
  const graphviz = await instance();
  const drawn = graphviz.renderString(dot, { format: 'svg', engine: 'dot' });
  return drawn.replaceAll(/font-size="([\d.]+)"/g, (_, size: string) => `font-size="${(Number(size) * DRAWN_SIZE).toFixed(2)}"`);
}

const DRAWN_SIZE = 0.87;
