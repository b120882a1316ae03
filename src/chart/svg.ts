import { instance } from '@viz-js/viz';

/** A picture of a DOT text, laid out by Graphviz: 1.2 MB, to be loaded when a picture is asked for and not before. */
export async function drawDot(dot: string): Promise<string> {
  const graphviz = await instance();
  return graphviz.renderString(dot, { format: 'svg', engine: 'dot' });
}
