import { inXml } from '../words.ts';

/** An element of the files of systemg 0.33.0: further elements, or else text. Its attributes and its prefix mean nothing. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** `ignored`: what stands behind the element, with the place; null: nothing that means anything. */
export type XmlResult = { readonly ok: true; readonly root: XmlElement; readonly ignored: string | null } | { readonly ok: false; readonly reason: string };

/**
 * Reads the first element, as systemg 0.33.0 does: with declarations, comments, attributes and CDATA, blanks at both ends of a text left out and line ends
 * left as they are, and whatever the text beside elements. It reads nothing behind the element; what it refuses is refused with the place.
 */
export function readXml(text: string): XmlResult {
  const open: Draft[] = [];
  let root: XmlElement | null = null;
  let elements = 0;
  let at = text.startsWith('\ufeff') ? 1 : 0;
  const found = (expected: string): string => `character ${at + 1}: expected ${expected}, got ${shown(text, at)}`;
  const refuse = (expected: string): XmlResult => ({ ok: false, reason: found(expected) });
  while (at < text.length && root === null) {
    const tag = text.indexOf('<', at);
    const next = tag < 0 ? text.length : tag;
    token.lastIndex = at;
    const [whole, cdata, slash, name, attributes, selfClosing] = next > at ? [text.slice(at, next)] : token.exec(text) ?? [];
    if (whole === undefined) return refuse('a plain tag');
    const plain = next > at ? whole : undefined;
    const current = open.at(-1);
    // What is trimmed ends at the first reference.
    const raw = plain ?? cdata?.replaceAll('&', '&amp;').replaceAll(/^\s|\s$/g, reference);
    if (raw !== undefined) {
      if (current === undefined && raw.trim() !== '') return refuse('an element');
      if (unescaped(raw) === null) return refuse('text whose & begins a character reference');
      if (current !== undefined) current.raw += raw;
    } else if (name !== undefined) {
      if (slash === '/' && (attributes !== '' || selfClosing === '/' || current?.name !== name)) return refuse(current === undefined ? 'an element' : `</${current.name}>`);
      if (slash !== '/') {
        if ((elements += 1) > MOST_ELEMENTS) return refuse(`at most ${MOST_ELEMENTS} elements`);
        open.push({ name, raw: '', children: [] });
      }
      const ended = slash === '/' || selfClosing === '/' ? open.pop() : undefined;
      if (ended !== undefined) {
        const { children } = ended;
        const element = { name: ended.name.slice(ended.name.lastIndexOf(':') + 1), text: children.length > 0 ? '' : (unescaped(trimmed(ended.raw)) ?? ''), children };
        const parent = open.at(-1);
        if (parent === undefined) root = element;
        else parent.children.push(element);
      }
    }
    at += whole.length;
  }
  const unclosed = open.at(-1);
  if (root === null) return refuse(unclosed === undefined ? 'an element' : `</${unclosed.name}>`);
  // A file system that lost its power may leave NULs where the end of a longer file was.
  return { ok: true, root, ignored: endsBehind(text, at) ? null : found('the end of the file') };
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
  /** With its references. */
  raw: string;
  readonly children: XmlElement[];
}

/** A comment, an instruction or declaration, a type; the content of CDATA; a tag as its slash, name, attributes and slash. */
const token = new RegExp([
  '<!--[^]*?-->|<\\?[^]*?\\?>|<!DOCTYPE\\s[^<>]*>',
  '<!\\[CDATA\\[([^]*?)\\]\\]>',
  '<(/?)([^\\s<>/=!?&"\']+)((?:\\s+[^\\s<>/="\']+\\s*=\\s*(?:"[^"]*"|\'[^\']*\'))*)\\s*(/?)>',
].join('|'), 'y');
const nothing = /[\s\0]{1,1000}|<!--[^]*?-->|<\?[^]*?\?>/y;
const BLANKS = ' \t\r\n';
/** Several times what long histories of jobs have; with many more a damaged file would fill the memory. */
const MOST_ELEMENTS = 2_000_000;
const references: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function reference(character: string): string {
  return `&#${character.codePointAt(0)};`;
}

/** Whether nothing that means anything is behind a place. Piece by piece: one expression for all would try each comment as the beginning of all the others. */
function endsBehind(text: string, at: number): boolean {
  nothing.lastIndex = at;
  while (nothing.lastIndex < text.length) if (!nothing.test(text)) return false;
  return true;
}

/** Without the blanks at its ends that are no references. Sign by sign: an expression that ends with `$` looks at each blank within again for each one before it. */
function trimmed(raw: string): string {
  let [start, end] = [0, raw.length];
  while (start < end && BLANKS.includes(raw.charAt(start))) start += 1;
  while (end > start && BLANKS.includes(raw.charAt(end - 1))) end -= 1;
  return raw.slice(start, end);
}

/** Null: an & that means nothing. */
function unescaped(raw: string): string | null {
  if (!raw.includes('&')) return raw;
  let sound = true;
  const plain = raw.replaceAll(/&(?:#(?:x([0-9A-Fa-f]{1,1000})|([0-9]{1,1000}))|([a-z]{1,4}));|&/g, (_, hex?: string, decimal?: string, word = '') => {
    const code = hex !== undefined ? Number.parseInt(hex, 16) : decimal !== undefined ? Number(decimal) : null;
    const known = code !== null ? characterOf(code) : Object.hasOwn(references, word) ? references[word] : undefined;
    sound &&= known !== undefined;
    return known ?? '';
  });
  return sound ? plain : null;
}

/** Undefined: NUL, half of a surrogate pair, or beyond Unicode. */
function characterOf(code: number): string | undefined {
  return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : String.fromCodePoint(code);
}

// A bare CR would come back as LF from other readers (XML 1.0, 2.11), and blanks at the ends not at all from systemg 0.33.0; other control characters, lone
// surrogates, U+FFFE and U+FFFF are no characters of XML (2.2) and cannot be written by reference either.
function escaped(text: string): string {
  const characters = text.replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
  return inXml(characters).replaceAll(/\r|^[ \t\n]+|(?<![ \t\n])[ \t\n]+$/g, (blanks) => blanks.replaceAll(/\s/g, reference));
}

function shown(text: string, at: number): string {
  return at >= text.length ? 'the end of the file' : JSON.stringify(text.slice(at, at + 40));
}
