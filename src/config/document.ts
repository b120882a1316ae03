import { Composer, isAlias, isMap, isScalar, isSeq, LineCounter, Parser, type CST } from 'yaml';
import { quote, type Finding } from './place.ts';

/** A YAML file as plain data: aliases followed, every node with its offset in the text. */
export type SourceNode = SourceScalar | SourceMap | SourceList;
export interface SourceScalar {
  readonly kind: 'scalar';
  readonly offset: number;
  /** As written, for a plain scalar; the content, for a quoted or block one. */
  readonly text: string;
  readonly value: string | number | boolean | null;
}
export interface SourceEntry {
  readonly key: string;
  readonly keyOffset: number;
  readonly value: SourceNode;
}
export interface SourceMap {
  readonly kind: 'map';
  readonly offset: number;
  readonly entries: readonly SourceEntry[];
}
export interface SourceList {
  readonly kind: 'list';
  readonly offset: number;
  readonly items: readonly SourceNode[];
}

export interface Position {
  readonly line: number;
  readonly column: number;
  readonly excerpt: string;
}

export interface SourceDocument {
  /** `null`: an empty file. */
  readonly root: SourceNode | null;
  /** Where the syntax breaks, so that the tree behind is a guess; `null` when it is sound. */
  readonly brokenAt: number | null;
  /** Parts of the tree could not be made, so what seems missing may be there. */
  readonly incomplete: boolean;
  readonly locate: (offset: number) => Position;
}

const maxDepth = 64;

/** Reads one YAML document. Syntax errors, duplicate and merge keys, unknown aliases and further documents become findings. */
export function parseSource(text: string, findings: Finding[]): SourceDocument {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const locate = (offset: number): Position => position(text, lines, offset);

  // The composer recurses; near the end of its stack V8 aborts the whole process instead of throwing.
  const tooDeep = firstBelow(tokens, maxDepth);
  if (tooDeep !== null) {
    complainAt(findings, tooDeep, [], `nested more than ${maxDepth} levels deep`);
    return { root: null, brokenAt: 0, incomplete: true, locate };
  }

  const documents = [...new Composer({ prettyErrors: false, uniqueKeys: false, logLevel: 'silent' }).compose(tokens, true, text.length)];
  const [first, second] = documents;
  const errors = first === undefined ? [] : [...first.errors, ...first.warnings];
  // What follows an error in the same line is mostly its consequence.
  const firstInLine = new Map(errors.toReversed().map((error) => [locate(error.pos[0]).line, error]));
  for (const error of firstInLine.values()) complainAt(findings, error.pos[0], [], error.message);
  if (second !== undefined) {
    complainAt(findings, second.range[0], [], 'deserializing from YAML containing more than one document is not supported: a second document begins here');
  }
  const contents = first?.contents ?? null;
  const blank = contents === null || (isScalar(contents) && contents.value === null && contents.source === '');
  const brokenAt = first?.errors.reduce((least, error) => Math.min(least, error.pos[0]), Infinity) ?? Infinity;
  const conversion: Conversion = { anchors: new Map(), unknownAliases: [], findings, locate };
  return {
    root: blank ? null : convert(contents, [], 0, conversion),
    brokenAt: brokenAt === Infinity ? null : brokenAt,
    incomplete: brokenAt !== Infinity || conversion.unknownAliases.length > 0,
    locate,
  };
}

interface Conversion {
  readonly anchors: Map<string, SourceNode>;
  readonly unknownAliases: string[];
  readonly findings: Finding[];
  readonly locate: (offset: number) => Position;
}

function convert(node: unknown, path: readonly string[], near: number, conversion: Conversion): SourceNode {
  if (isAlias(node)) {
    const offset = node.range?.[0] ?? near;
    const target = conversion.anchors.get(node.source);
    if (target !== undefined) return target;
    conversion.unknownAliases.push(node.source);
    complainAt(conversion.findings, offset, path, `unknown alias '*${node.source}': no anchor '&${node.source}' is complete above it`);
    return { kind: 'scalar', offset, text: '', value: null };
  }
  const converted = convertOwn(node, path, near, conversion);
  const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
  if (anchor !== undefined) conversion.anchors.set(anchor, converted);
  return converted;
}

function convertOwn(node: unknown, path: readonly string[], near: number, conversion: Conversion): SourceNode {
  if (isMap(node)) {
    const entries = new Map<string, SourceEntry>();
    for (const pair of node.items) {
      const entry = convertPair(pair, path, node.range?.[0] ?? near, conversion);
      if (entry === null) continue;
      const earlier = entries.get(entry.key);
      if (earlier === undefined) entries.set(entry.key, entry);
      else {
        const line = conversion.locate(earlier.keyOffset).line;
        complainAt(conversion.findings, entry.keyOffset, [...path, entry.key], `duplicate key ${quote(entry.key)}, first given in line ${line}`);
      }
    }
    return { kind: 'map', offset: node.range?.[0] ?? near, entries: [...entries.values()] };
  }
  if (isSeq(node)) {
    const items = node.items.map((item, index) => convert(item, [...path, String(index)], node.range?.[0] ?? near, conversion));
    return { kind: 'list', offset: node.range?.[0] ?? near, items };
  }
  if (!isScalar(node)) return { kind: 'scalar', offset: near, text: '', value: null };
  const value: unknown = node.value;
  const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null;
  return {
    kind: 'scalar',
    offset: node.range?.[0] ?? near,
    text: typeof value === 'string' ? value : (node.source ?? String(value)),
    value: known ? value : String(value),
  };
}

function convertPair(pair: { key: unknown; value: unknown }, path: readonly string[], near: number, conversion: Conversion): SourceEntry | null {
  const key = convert(pair.key, path, near, conversion);
  if (key.kind !== 'scalar') {
    complainAt(conversion.findings, key.offset, path, `expected a word as key, got ${key.kind === 'map' ? 'a map' : 'a list'}`);
    return null;
  }
  if (key.text === '<<') {
    complainAt(conversion.findings, key.offset, path,
      "unknown key '<<': YAML merge keys are not applied; repeat the keys, or put what services share under 'defaults'");
    return null;
  }
  return { key: key.text, keyOffset: key.offset, value: convert(pair.value, [...path, key.text], key.offset, conversion) };
}

/** The offset of the first collection below `depth` levels, found without recursion. */
function firstBelow(tokens: readonly CST.Token[], depth: number): number | null {
  const open: [token: unknown, level: number][] = tokens.map((token) => [token, 0]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [token, level] = next;
    if (typeof token !== 'object' || token === null) continue;
    if (level > depth) return 'offset' in token && typeof token.offset === 'number' ? token.offset : 0;
    if ('value' in token) open.push([token.value, level]);
    if (!('items' in token) || !Array.isArray(token.items)) continue;
    for (const item of token.items) open.push([item.key, level + 1], [item.value, level + 1]);
  }
  return null;
}

function position(text: string, lines: LineCounter, offset: number): Position {
  const found = lines.linePos(Math.min(offset, text.length));
  const line = Math.max(1, found.line);
  const start = lines.lineStarts[line - 1] ?? 0;
  const end = /[\r\n]|$/.exec(text.slice(start, start + 1000));
  return { line, column: Math.max(1, found.col), excerpt: text.slice(start, start + (end?.index ?? 0)) };
}

function complainAt(findings: Finding[], offset: number, path: readonly string[], message: string): void {
  findings.push({ level: 'problem', offset, path, message });
}
