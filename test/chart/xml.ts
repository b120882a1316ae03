/** An element of a small XML document: enough to check what is generated, and strict about it. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
}

/** Reads a document without entities of its own, comments or CDATA. Throws on anything that is not well-formed. */
export function parseXml(text: string): Element {
  const stack: { name: string; attributes: Map<string, string>; children: Element[] }[] = [{ name: '', attributes: new Map(), children: [] }];
  const body = text.replace(/^<\?xml [^?]*\?>\n/, '');
  let end = 0;
  for (const match of body.matchAll(/<(\/?)([A-Za-z_][\w:.-]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const [whole, closing, name = '', written = '', single] = match;
    if (body.slice(end, match.index).trim() !== '') throw new Error(`unexpected ${JSON.stringify(body.slice(end, match.index))}`);
    end = match.index + whole.length;
    const parent = stack.at(-1);
    if (parent === undefined) throw new Error(`<${name}> after the end`);
    if (closing === '/') {
      if (parent.name !== name) throw new Error(`</${name}> closes <${parent.name}>`);
      stack.pop();
      continue;
    }
    const attributes = new Map<string, string>();
    for (const [, key = '', value = ''] of written.matchAll(/([\w:.-]+)="([^"]*)"/g)) {
      if (attributes.has(key)) throw new Error(`<${name}> has ${key} twice`);
      if (/&(?!(amp|lt|gt|quot|apos);)/.test(value)) throw new Error(`${key}="${value}" has a bare ampersand`);
      attributes.set(key, value.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'));
    }
    const element = { name, attributes, children: [] };
    parent.children.push(element);
    if (single !== '/') stack.push(element);
  }
  const [document] = stack;
  const [root] = document?.children ?? [];
  if (stack.length !== 1 || root === undefined || document?.children.length !== 1 || body.slice(end).trim() !== '') throw new Error('not one whole element');
  return root;
}

export function all(element: Element): readonly Element[] {
  return [element, ...element.children.flatMap(all)];
}
