import { Composer, isAlias, isMap, isNode, isScalar, isSeq, Lexer, LineCounter, Parser, CST, type Pair } from 'yaml';

/** A YAML file as plain data: aliases followed, every node with its offset in the text. */
export type SourceNode = SourceScalar | SourceMap | SourceList;
export interface SourceScalar {
  readonly kind: 'scalar';
  readonly offset: number;
  /** As written, for a plain scalar; the content, for a quoted or block one. */
  readonly text: string;
  readonly value: string | number | boolean | null;
}
export interface SourceMap {
  readonly kind: 'map';
  readonly offset: number;
  readonly entries: readonly SourceEntry[];
}
export interface SourceEntry {
  readonly key: string;
  readonly keyOffset: number;
  readonly value: SourceNode;
}
export interface SourceList {
  readonly kind: 'list';
  readonly offset: number;
  readonly items: readonly SourceNode[];
}

/** Something to say about a place in the source. `note`: what 0.33.0 would have made of the place; shown by `validate` only. */
export interface Finding {
  readonly level: 'problem' | 'warning' | 'note';
  readonly offset: number;
  readonly path: readonly string[];
  readonly message: string;
  /** Something is missing, which a broken syntax may be the cause of. */
  readonly absent?: true;
  /** About systemg 0.33.0: of use only in a file that it could read. */
  readonly former?: true;
}

export interface Position {
  /** 1-based; 0 means the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** The line of the file. */
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

/** Of some kilobytes of text aliases make more than any memory holds. What a supervisor keeps of its configuration has them all. */
const mostAliased = 1_000_000;

/**
 * Reads one YAML document. Syntax errors, duplicate keys, unknown aliases and further documents become findings. All offsets are counted from `base`, so that
 * several texts can be one tree.
 */
export function parseSource(text: string, findings: Finding[], base = 0): SourceDocument {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const locate = (offset: number): Position => position(text, lines, offset - base);
  const complainAt: Complain = (offset, path, message) => void findings.push({ level: 'problem', offset, path, message });
  const complain: Complain = (offset, path, message) => complainAt(base + offset, path, message);

  // The composer recurses; near the end of its stack V8 aborts the whole process instead of throwing.
  const tooDeep = firstBelow(tokens, maxDepth);
  if (tooDeep !== null) {
    complain(tooDeep, [], `nested more than ${maxDepth} levels deep`);
    return { root: null, brokenAt: base, incomplete: true, locate };
  }

  const strict = compose(tokens, text);
  // Of a text that is broken either way, the strict reading says best where.
  const lenient = strict.errors.length === 0 ? strict : compose(lenientTokens(text), text);
  const { documents: [first, second], errors } = lenient.errors.length === 0 ? lenient : strict;
  // What follows an error in the same line is mostly its consequence.
  const said = errors.map(({ message, pos: [at] }) => {
    const opening = message.startsWith('Missing closing ') ? openingQuote(tokens, at) : null;
    return opening === null ? { at, text: message + quotesHint(message) } : { at: opening, text: `a quote ${text.charAt(opening)} is opened here and not closed` };
  });
  const firstInLine = new Map(said.toReversed().map((one) => [locate(base + one.at).line, one]));
  for (const one of firstInLine.values()) complain(one.at, [], one.text);
  if (second !== undefined) {
    complain(second.range[0], [], 'deserializing from YAML containing more than one document is not supported: a second document begins here');
  }
  const contents = first?.contents ?? null;
  const blank = contents === null || (isScalar(contents) && contents.value === null && contents.source === '');
  const { root, complete } = blank ? { root: null, complete: true } : plainTree(contents, complainAt, locate, base);
  const broken = (first?.errors ?? []).map((error) => error.pos[0]);
  return { root, brokenAt: broken.length === 0 ? null : base + Math.min(...broken), incomplete: broken.length > 0 || !complete, locate };
}

/** What was found, for `expected …, got …`. */
export function describe(node: SourceNode): string {
  if (node.kind === 'map') return 'a map';
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.value === null) return 'nothing';
  return typeof node.value === 'string' ? JSON.stringify(shortened(node.value)) : node.text;
}

/** A name as shown in messages, `'web'`; control characters escaped. */
export function quote(text: string): string {
  return `'${JSON.stringify(shortened(text)).slice(1, -1).replaceAll('\\"', '"')}'`;
}

type Complain = (offset: number, path: readonly string[], message: string) => void;

/** Where the quoted text begins that ends at `end`. */
function openingQuote(tokens: readonly CST.Token[], end: number): number | null {
  let found: number | null = null;
  for (const token of tokens) {
    if (token.type !== 'document') continue;
    CST.visit(token, ({ key, value }) => {
      for (const part of [key, value]) if (part != null && CST.isScalar(part) && /^["']/.test(part.source) && part.offset + part.source.length === end) found = part.offset;
    });
  }
  return found;
}

/** What a person mostly meant where YAML finds its own signs: a text. */
function quotesHint(message: string): string {
  const stray = /^Unexpected flow-\S+ token in YAML stream: "([\]}])"$/.exec(message)?.[1];
  if (stray !== undefined) return `; nothing is open that '${stray}' would close, and a text that begins with it needs quotes`;
  const first = /cannot start with .* (\S)$/.exec(message)?.[1] ?? (message.startsWith('Unresolved tag') ? '!' : message.includes('block-seq-ind') ? '- ' : /[Aa]lias/.test(message) ? '*' : null);
  if (first !== null) return `; a text that begins with '${first}' needs quotes`;
  if (message.startsWith('Nested mappings')) return "; a text with ': ' in it needs quotes";
  if (message.startsWith('Not a YAML token')) return "; a text that begins with '|' or '>' needs quotes";
  return message.startsWith('Unexpected scalar at node end') ? '; a text that begins with a quote or a bracket needs quotes around the whole' : '';
}

/** The tree as plain data; not `complete` when an alias leads nowhere. */
function plainTree(contents: unknown, complain: Complain, locate: (offset: number) => Position, base: number): { readonly root: SourceNode; readonly complete: boolean } {
  const anchors = new Map<string, { readonly node: SourceNode; readonly count: number }>();
  let complete = true;
  /** Values so far, aliases followed. */
  let count = 0;

  /** `near` is the offset of a node that has none of its own. */
  const convert = (node: unknown, path: readonly string[], near: number): SourceNode => {
    const offset = isNode(node) && node.range != null ? base + node.range[0] : near;
    if (!isAlias(node)) {
      const before = count;
      count += 1;
      const converted = convertOwn(node, path, offset);
      if (isNode(node) && 'anchor' in node && node.anchor !== undefined) anchors.set(node.anchor, { node: converted, count: count - before });
      return converted;
    }
    const target = anchors.get(node.source);
    const isFull = count > mostAliased;
    count += target?.count ?? 0;
    if (target !== undefined && count <= mostAliased) return target.node;
    complete = false;
    if (target !== undefined && !isFull) complain(offset, path, `expected at most ${mostAliased} values, aliases followed; '*${node.source}' makes more of them`);
    else if (!isFull) complain(offset, path, `unknown alias '*${node.source}': no anchor '&${node.source}' is complete above it; a text that begins with '*' needs quotes`);
    return { kind: 'scalar', offset, text: '', value: null };
  };

  const convertOwn = (node: unknown, path: readonly string[], offset: number): SourceNode => {
    if (isMap(node)) return { kind: 'map', offset, entries: convertPairs(node.items, path, offset) };
    if (isSeq(node)) return { kind: 'list', offset, items: node.items.map((item, index) => convert(item, [...path, String(index)], offset)) };
    if (!isScalar(node)) return { kind: 'scalar', offset, text: '', value: null };
    const { value, source } = node;
    const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null;
    return { kind: 'scalar', offset, text: typeof value === 'string' ? value : (source ?? String(value)), value: known ? value : String(value) };
  };

  const convertPairs = (pairs: readonly Pair[], path: readonly string[], near: number): readonly SourceEntry[] => {
    const entries = new Map<string, SourceEntry>();
    let merged: readonly SourceEntry[] | null = null;
    for (const pair of pairs) {
      const key = convert(pair.key, path, near);
      if (key.kind !== 'scalar') complain(key.offset, path, `expected a word as key, got ${key.kind === 'map' ? 'a map' : 'a list'}`);
      else if (key.text === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        if (merged !== null) complain(key.offset, path, "duplicate key '<<': several maps are merged as a list, <<: [*one, *other]");
        merged ??= mergedEntries(convert(pair.value, [...path, '<<'], key.offset), path);
      } else {
        const inner = [...path, key.text];
        const entry = { key: key.text, keyOffset: key.offset, value: convert(pair.value, inner, key.offset) };
        const earlier = entries.get(entry.key);
        if (earlier === undefined) entries.set(entry.key, entry);
        else complain(entry.keyOffset, inner, `duplicate key ${quote(entry.key)}, first given in line ${locate(earlier.keyOffset).line}`);
      }
    }
    return [...entries.values(), ...(merged ?? []).filter(({ key }) => !entries.has(key))];
  };

  /** Of the maps that a merge key names, of which the first one with a key wins: https://yaml.org/type/merge.html. */
  const mergedEntries = (value: SourceNode, path: readonly string[]): readonly SourceEntry[] => {
    const maps = value.kind === 'list' ? value.items : [value];
    const found = new Map<string, SourceEntry>();
    for (const map of maps) {
      if (map.kind !== 'map') complain(map.offset, [...path, '<<'], `expected a map to merge, such as *name of an anchor &name, got ${describe(map)}`);
      else for (const entry of map.entries) if (!found.has(entry.key)) found.set(entry.key, entry);
    }
    return [...found.values()];
  };

  const root = convert(contents, [], base);
  return { root, complete };
}

function compose(tokens: readonly CST.Token[], text: string) {
  const documents = [...new Composer({ prettyErrors: false, uniqueKeys: false, logLevel: 'silent' }).compose(tokens, true, text.length)];
  const [first] = documents;
  // The one warning of that code is about a bracket that closes at the column of its key.
  return { documents, errors: first === undefined ? [] : [...first.errors, ...first.warnings.filter(({ code }) => code !== 'BAD_INDENT')] };
}

/**
 * Between quotes and brackets, lines may begin at any column, as in 0.33.0's parser (libyaml); the specification and the lexer here want them further in
 * than the key. The lexer is made to see no such wish there.
 */
function lenientTokens(text: string): CST.Token[] {
  const lexer = new Lexer();
  const read = (name: 'flowLevel' | 'pos'): number => Number(Reflect.get(lexer, name));
  let wanted = 0;
  Object.defineProperty(lexer, 'indentNext', {
    get: () => (read('flowLevel') > 0 || text[read('pos')] === '"' || text[read('pos')] === "'" ? 0 : wanted),
    set: (columns: number) => {
      wanted = columns;
    },
  });
  const parser = new Parser();
  return [...[...lexer.lex(text)].flatMap((lexeme) => [...parser.next(lexeme)]), ...parser.end()];
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
  const column = Math.max(1, found.col);
  const start = lines.lineStarts[line - 1] ?? 0;
  const excerpt = text.slice(start, start + column + 1000);
  return { line, column, excerpt: excerpt.slice(0, /[\r\n]|$/.exec(excerpt)?.index) };
}

export function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
