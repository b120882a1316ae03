import { instance } from '@viz-js/viz';

/** A picture of a DOT text, laid out by Graphviz: 1.2 MB, to be loaded when a picture is asked for and not before. */
export async function drawDot(dot: string): Promise<string> {
  const graphviz = await instance();
  return lean(graphviz.renderString(dot, { format: 'svg', engine: 'dot' }));
}

/** Without the comments and the ids, and with the font said once instead of by each text: a fifth of the file. */
function lean(svg: string): string {
  const font = / font-family="[^"]*"/.exec(svg)?.[0] ?? '';
  return svg.replaceAll(/<!--.*?-->\n?| id="[a-z]+\d+"| xml:space="preserve"/gs, '').replaceAll(font, '').replace('<svg', `<svg${font}`);
}
