import { inXml } from '../words.ts';
/** An element of the files of systemg 0.33.0: text or further elements, never both; no attributes. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

export type XmlResult = { readonly ok: true; readonly root: XmlElement } | { readonly ok: false; readonly reason: string };

/** Reads one element and nothing beside it. Strict: what systemg 0.33.0 does not write is refused, with the place. */
export function readXml(text: string): XmlResult {
  const open: Draft[] = [];
  let root: XmlElement | null = null;
  let at = 0;
  const refuse = (expected: string): XmlResult => ({ ok: false, reason: `character ${at + 1}: expected ${expected}, got ${shown(text, at)}` });
  while (at < text.length) {
    const current = open.at(-1);
    const next = text.indexOf('<', at);
    if (next !== at) {
      const raw = text.slice(at, next < 0 ? text.length : next);
      if (current === undefined) {
        if (raw.trim() !== '') return refuse(root === null ? 'an element' : 'the end of the file');
      } else {
        const plain = unescaped(raw);
        if (plain === null) return refuse('text whose & begins a character reference');
        current.text += plain;
      }
      if (next < 0) break;
      at = next;
    }
    tag.lastIndex = at;
    const [whole, slash, name = '', selfClosing] = tag.exec(text) ?? [];
    if (whole === undefined) return refuse('a plain tag');
    if (slash === '/') {
      if (selfClosing === '/' || current === undefined || current.name !== name) return refuse(current === undefined ? 'an element' : `</${current.name}>`);
      if (current.children.length > 0 && current.text.trim() !== '') return refuse(`only elements in <${name}>`);
      open.pop();
      const element = { name, text: current.children.length > 0 ? '' : current.text, children: current.children };
      const parent = open.at(-1);
      if (parent === undefined) root = element;
      else parent.children.push(element);
    } else {
      if (current === undefined && root !== null) return refuse('the end of the file');
      if (selfClosing !== '/') open.push({ name, text: '', children: [] });
      else if (current === undefined) root = { name, text: '', children: [] };
      else current.children.push({ name, text: '', children: [] });
    }
    at += whole.length;
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) return refuse(`</${unclosed.name}>`);
  return root === null ? refuse('an element') : { ok: true, root };
}

/** On one line without a declaration, as systemg 0.33.0 writes. */
export function writeXml({ name, text, children }: XmlElement): string {
  if (children.length > 0) return `<${name}>${children.map(writeXml).join('')}</${name}>`;
  return text === '' ? `<${name}/>` : `<${name}>${escaped(text)}</${name}>`;
}

export function leaf(name: string, value: string | number): XmlElement {
  return { name, text: String(value), children: [] };
}

export function branch(name: string, children: readonly XmlElement[]): XmlElement {
  return { name, text: '', children };
}

interface Draft {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

const tag = /<(\/?)([A-Za-z_][A-Za-z0-9_.-]*)\s*(\/?)>/y;
const references: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Null: an & that means nothing. */
function unescaped(raw: string): string | null {
  if (!raw.includes('&')) return raw;
  let sound = true;
  const plain = raw.replaceAll(/&(?:#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))|([a-z]+));|&/g, (_, hex?: string, decimal?: string, word?: string) => {
    const code = hex !== undefined ? Number.parseInt(hex, 16) : decimal !== undefined ? Number(decimal) : null;
    if (code !== null && code <= 0x10ffff) return String.fromCodePoint(code);
    const known = word !== undefined && Object.hasOwn(references, word) ? references[word] : undefined;
    sound &&= known !== undefined;
    return known ?? '';
  });
  return sound ? plain : null;
}

// A bare CR would come back as LF (XML 1.0, 2.11); other control characters, lone surrogates, U+FFFE and U+FFFF are no characters of XML (2.2) and cannot
// be written by reference either.
function escaped(text: string): string {
  return inXml(text.replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')).replaceAll('\r', '&#13;');
}

function shown(text: string, at: number): string {
  return at >= text.length ? 'the end of the file' : JSON.stringify(text.slice(at, at + 40));
}
