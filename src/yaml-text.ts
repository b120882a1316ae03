import { Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Pair, parseDocument, Scalar, stringify, visit, YAMLMap, YAMLSeq, type Node } from 'yaml';
import { refuse, type Refused } from './errors.ts';

// YAML as `import` and `export` read and write it. The configuration itself is read by `config/document.ts`, which keeps every offset and no comment.

/** A value of a file with its place. Aliases are followed, merge keys are applied. */
export interface Sourced {
  readonly file: string;
  /** 1-based, of the key where there is one. */
  readonly line: number;
  readonly endLine: number;
  /** Of a scalar; `null` for a map and a list. */
  readonly value: string | number | boolean | null;
  readonly entries: ReadonlyMap<string, Sourced> | null;
  readonly items: readonly Sourced[] | null;
}

export interface SourceComment {
  readonly line: number;
  /** Without its sign. */
  readonly text: string;
  /** Nothing else is in its line. */
  readonly alone: boolean;
}

export type ReadYaml = { readonly ok: true; readonly root: Sourced; readonly comments: readonly SourceComment[] } | Refused;

/** Far more than a file by hand has; a few aliases of aliases could otherwise fill any memory. */
const MOST_NODES = 100_000;

/** Reads one YAML document. */
export function readYaml(text: string, file: string): ReadYaml {
  const refused = (line: number, why: string): Refused => refuse(`${file}:${line}: ${why}`);
  const deep = firstTooDeep(text);
  if (deep !== null) return refused(deep, 'nested too deep');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'silent' });
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(Math.min(offset, text.length)).line);
  const [error] = document.errors;
  if (error !== undefined) return refused(lineAt(error.pos[0]), error.message);
  const resolved: Resolving = { document, file, lineAt, open: new Set(), left: { nodes: MOST_NODES }, twice: [] };
  const root = plain(document.contents, null, resolved);
  if (resolved.left.nodes < 0) return refused(1, `expected at most ${MOST_NODES} values, aliases followed`);
  const [twice] = resolved.twice;
  if (twice !== undefined) return refused(twice.line, twice.message);
  return { ok: true, root, comments: yamlComments(text, lineAt) };
}

/** The parser recurses, and near the end of its stack V8 aborts the whole process. The line of what no file by hand has; signs within texts count, too. */
function firstTooDeep(text: string): number | null {
  let open = 0;
  for (const [index, line] of text.split('\n').entries()) {
    let most = open;
    for (const sign of line.match(/[[\]{}]/g) ?? []) {
      open = Math.max(0, open + (sign === '[' || sign === '{' ? 1 : -1));
      most = Math.max(most, open);
    }
    if (most > MOST_LEVELS || /^\s{1000}/.test(line) || /(?:[-?:]\s+){200}/.test(line)) return index + 1;
  }
  return null;
}

const MOST_LEVELS = 500;

interface Resolving {
  readonly document: Document.Parsed;
  readonly file: string;
  readonly lineAt: (offset: number) => number;
  /** Anchored nodes that are being read: an alias within its own anchor says nothing. */
  readonly open: Set<unknown>;
  readonly left: { nodes: number };
  /** Keys that are there already: the programs that read such files refuse them. */
  readonly twice: { readonly line: number; readonly message: string }[];
}

function plain(written: unknown, keyLine: number | null, around: Resolving): Sourced {
  const { document, file, lineAt, open, left } = around;
  const node = isAlias(written) ? written.resolve(document) : written;
  const range = (written as Node | null)?.range ?? null;
  const line = keyLine ?? (range === null ? 1 : lineAt(range[0]));
  const place = { file, line, endLine: range === null ? line : Math.max(line, lineAt(Math.max(range[0], range[1] - 1))) };
  const nothing: Sourced = { ...place, value: null, entries: null, items: null };
  left.nodes -= 1;
  // With `!reset` compose takes a key away.
  if (left.nodes < 0 || node === null || node === undefined || open.has(node) || (node as Node).tag === '!reset') return nothing;
  if (isScalar(node)) return { ...nothing, value: scalarValue(node) };
  open.add(node);
  const read = isSeq(node)
    ? { ...nothing, items: node.items.map((item) => plain(item, null, around)) }
    : isMap(node) ? { ...nothing, entries: mapEntries(node, around) } : nothing;
  open.delete(node);
  return read;
}

/** Numbers keep what they were written as where that says more, as in `1.10`. */
function scalarValue({ value, source }: Scalar): Sourced['value'] {
  if (typeof value === 'number') return source !== undefined && String(value) !== source ? source : value;
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  return source ?? (value === undefined ? null : String(value));
}

function mapEntries(map: YAMLMap, around: Resolving): ReadonlyMap<string, Sourced> {
  const entries = new Map<string, Sourced>();
  const merged: Sourced[] = [];
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? (key.source ?? String(key.value)) : null;
    if (name === null) continue;
    const line = around.lineAt((key as Node).range?.[0] ?? 0);
    const inner = plain(value, name === '<<' ? null : line, around);
    const known = isScalar(key) && typeof key.value === 'string' ? key.value : name;
    const earlier = entries.get(known);
    if (earlier !== undefined) around.twice.push({ line, message: `duplicate key ${JSON.stringify(known)}, first given in line ${earlier.line}` });
    if (name === '<<') merged.push(...(inner.items ?? [inner]));
    else entries.set(known, inner);
  }
  for (const from of merged) for (const [name, inner] of from.entries ?? []) if (!entries.has(name)) entries.set(name, inner);
  return entries;
}

/** The lexer marks what is text: a `#` of anything else begins a comment. */
function yamlComments(text: string, lineAt: (offset: number) => number): readonly SourceComment[] {
  const comments: SourceComment[] = [];
  let offset = 0;
  let isText = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === '\u001f' || lexeme === '\u0002' || lexeme === '\u0018') {
      isText = lexeme === '\u001f';
      continue;
    }
    if (lexeme.startsWith('#') && !isText) {
      const before = text.slice(text.lastIndexOf('\n', offset) + 1, offset);
      comments.push({ line: lineAt(offset), text: lexeme.slice(1).trimEnd(), alone: before.trim() === '' });
    }
    isText = false;
    offset += lexeme.length;
  }
  return comments;
}

export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** The value without its place. */
export function plainOf({ value, items, entries }: Sourced): Plain {
  if (items !== null) return items.map(plainOf);
  return entries === null ? value : Object.fromEntries([...entries].map(([key, inner]) => [key, plainOf(inner)]));
}

/** A map to be written: in order, with comments. */
export type Block = ReadonlyMap<string, BlockEntry>;

export interface BlockEntry {
  readonly value: Plain | Block;
  /** Comment lines above the key, without their sign. */
  readonly above?: readonly string[];
  /** A comment behind the key's value. */
  readonly behind?: string | null;
  /** A blank line above. */
  readonly apart?: boolean;
}

/** Writes a map as YAML with comments; `head` and `tail` are comment lines. */
export function writeYaml(block: Block, { head = [], tail = [] }: { readonly head?: readonly string[]; readonly tail?: readonly string[] } = {}): string {
  const document = new Document<Node>(null);
  document.contents = mapNode(document, block);
  const [top, end] = [head, tail].map((lines) => lines.map((line) => `${`#${line}`.trimEnd()}\n`).join(''));
  const body = document.toString({ lineWidth: 0, flowCollectionPadding: false, minContentWidth: 0 });
  return [top, body, end].filter((part) => part !== '').join('\n');
}

/** Several plain values as the documents of one YAML text. Texts that are something else to a reader of YAML 1.1, such as `yes`, are quoted. */
export function writeYamlDocuments(values: readonly unknown[]): string {
  return values.map((value) => stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
}

function mapNode(document: Document, block: Block): YAMLMap {
  const map = new YAMLMap();
  for (const [name, { value, above = [], behind = null, apart = false }] of block) {
    const key = new Scalar(name);
    if (above.length > 0) key.commentBefore = above.join('\n');
    key.spaceBefore = apart;
    const node = value instanceof Map ? mapNode(document, value) : valueNode(document, value as Plain);
    // A comment behind a map or a list would end up below all of it.
    if (behind !== null && isScalar(node)) node.comment = behind;
    else if (behind !== null) key.commentBefore = [...above, behind].join('\n');
    map.items.push(new Pair(key, node));
  }
  return map;
}

function valueNode(document: Document, value: Plain): Node {
  const node = document.createNode(value, { aliasDuplicateObjects: false });
  const json = typeof value === 'object' && value !== null ? JSON.stringify(value) : '\\n';
  // Short lists of words and small maps are easier to read in one line.
  if (json.length <= 100 && !json.includes('\\n')) visit(node, { Collection: (_, inner) => void ((inner as YAMLMap | YAMLSeq).flow = true) });
  return node;
}
