import { parse, parseExpressionAt, type Comment, type Expression, type Node, type Program, type Property } from 'acorn';
import { attempt, type Refused } from '../errors.ts';
import { evaluate, type EvaluateOptions } from '../process/evaluate.ts';
import type { SourceComment, Sourced } from '../yaml-text.ts';

export interface ReadScript {
  readonly ok: true;
  readonly root: Sourced;
  readonly comments: readonly SourceComment[];
  /** It is JavaScript that was run, and no plain data. */
  readonly evaluated: boolean;
}

/** Reads a file of JavaScript or JSON: its data by evaluating it, lines and comments by its syntax. Plain JSON is not run. */
export async function readScript(text: string, file: string, options: EvaluateOptions): Promise<ReadScript | Refused> {
  const { isExpression } = options;
  // With comments or commas at ends it is JavaScript.
  const json = isExpression ? attempt(() => ({ ok: true as const, value: JSON.parse(text.replace(/^\ufeff/, '')) as unknown }), null) : null;
  const evaluated = json ?? (await evaluate(file, options));
  if (!evaluated.ok) return evaluated;
  const { tree, comments } = syntax(text, isExpression);
  const known = declarations(tree);
  return { ok: true, evaluated: json === null, root: located(evaluated.value, exported(tree), { file, line: 1, known }), comments };
}

/** `null` where the syntax is none that is known here: places are then not known. */
function syntax(text: string, isExpression: boolean): { readonly tree: Node | null; readonly comments: readonly SourceComment[] } {
  for (const sourceType of ['module', 'script'] as const) {
    const found: Comment[] = [];
    try {
      const options = { ecmaVersion: 'latest', sourceType, locations: true, onComment: found, allowHashBang: true, allowReturnOutsideFunction: true } as const;
      const tree = isExpression ? parseExpressionAt(text, /^\ufeff?\s*/.exec(text)?.[0].length ?? 0, options) : parse(text, options);
      return { tree, comments: found.flatMap((comment) => commentLines(comment, text)) };
    } catch {
      // A script that is no module, or newer than the parser.
    }
  }
  return { tree: null, comments: [] };
}

function commentLines({ value, start, loc, type }: Comment, text: string): readonly SourceComment[] {
  const line = loc?.start.line ?? 1;
  const alone = text.slice(text.lastIndexOf('\n', start - 1) + 1, start).trim() === '';
  const lines = type === 'Line' ? [value] : value.replace(/^\*/, '').split('\n').map((one) => one.replace(/^\s*\*? ?/, ' '));
  return lines.flatMap((one, index) => (one.trim() === '' ? [] : [{ line: line + index, text: one.trimEnd(), alone: alone || index > 0 }]));
}

type Known = ReadonlyMap<string, Node>;

function declarations(tree: Node | null): Known {
  const found = (tree as Program | null)?.type === 'Program' ? (tree as Program).body : [];
  const declared = found.flatMap((statement) => (statement.type === 'VariableDeclaration' ? statement.declarations : []));
  return new Map(declared.flatMap(({ id, init }): [string, Node][] => (id.type === 'Identifier' && init != null ? [[id.name, init]] : [])));
}

/** What `module.exports =` or `export default` is given. */
function exported(tree: Node | null): Node | null {
  if (tree === null || (tree as Program).type !== 'Program') return tree;
  for (const statement of (tree as Program).body) {
    if (statement.type === 'ExportDefaultDeclaration') return statement.declaration;
    if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') continue;
    const { left, right } = statement.expression;
    if (left.type === 'MemberExpression' && left.property.type === 'Identifier' && left.property.name === 'exports') return right;
  }
  return null;
}

interface Around {
  readonly file: string;
  /** Of what is above, for data of which no syntax is known. */
  readonly line: number;
  readonly known: Known;
}

function located(value: unknown, written: Node | null, around: Around): Sourced {
  const node = named(written, around.known);
  const line = node?.loc?.start.line ?? around.line;
  const place = { file: around.file, line, endLine: node?.loc?.end.line ?? line };
  const nothing: Sourced = { ...place, value: null, entries: null, items: null };
  const within = { ...around, line };
  if (Array.isArray(value)) {
    const elements = node !== null && node.type === 'ArrayExpression' ? (node as Expression & { type: 'ArrayExpression' }).elements : [];
    const isPlain = elements.length === value.length && elements.every((element) => element !== null && element.type !== 'SpreadElement');
    return { ...nothing, items: value.map((item, index) => located(item, isPlain ? (elements[index] ?? null) : null, within)) };
  }
  if (typeof value === 'object' && value !== null) {
    const properties = propertiesOf(node, around.known);
    const entries = Object.entries(value).map(([key, inner]): [string, Sourced] => {
      const property = properties.get(key);
      const keyLine = property?.loc?.start.line ?? line;
      return [key, { ...located(inner, property?.value ?? null, { ...within, line: keyLine }), line: keyLine }];
    });
    return { ...nothing, entries: new Map(entries) };
  }
  return { ...nothing, value: typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null };
}

/** The properties of an object by name, those that are spread into it too. */
function propertiesOf(written: Node | null, known: Known): ReadonlyMap<string, Property> {
  const node = named(written, known);
  if (node === null || node.type !== 'ObjectExpression') return new Map();
  return new Map((node as Expression & { type: 'ObjectExpression' }).properties.flatMap((property): (readonly [string, Property])[] => {
    if (property.type === 'SpreadElement') return [...propertiesOf(property.argument, known)];
    const { key } = property;
    const name = key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : null;
    return name === null ? [] : [[name, property]];
  }));
}

function named(node: Node | null, known: Known): Node | null {
  const name = node?.type === 'Identifier' ? (node as Expression & { type: 'Identifier' }).name : null;
  return name === null ? node : (known.get(name) ?? node);
}
