import { dirname, resolve } from 'node:path';
import { refuse, type Refused } from '../errors.ts';
import { readYaml, type SourceComment, type Sourced } from '../yaml-text.ts';
import { textsOf } from './reader.ts';
import { readFurther } from './source.ts';

export interface ComposeService {
  /** With what it extends. */
  readonly node: Sourced;
  /** Every text in it, in which variables may stand. */
  readonly texts: readonly string[];
}

export interface ComposeFile {
  readonly ok: true;
  readonly services: ReadonlyMap<string, ComposeService>;
  /** The roots of the file and of all that it includes. */
  readonly roots: readonly Sourced[];
  /** What paths in the file of a place are relative to. */
  directoryOf(place: Pick<Sourced, 'file'>): string;
}

interface Reading {
  readonly comments: Map<string, readonly SourceComment[]>;
  readonly files: Map<string, Sourced | Refused>;
  readonly roots: Set<Sourced>;
  /** By file, where it is not that of the file itself. */
  readonly directories: Map<string, string>;
}

/** Reads a compose file and resolves `extends` and `include`. */
export function readComposeFile(path: string, text: string, comments: Map<string, readonly SourceComment[]>): ComposeFile | Refused {
  const reading: Reading = { comments, files: new Map(), roots: new Set(), directories: new Map() };
  const root = open(path, text, reading);
  if ('reason' in root) return root;
  const services = new Map<string, Sourced>();
  const problem = gather(path, root, services, reading, []);
  if (problem !== null) return problem;
  return {
    ok: true,
    services: new Map([...services].map(([name, node]) => [name, { node, texts: textsIn(node) }])),
    roots: [...reading.roots],
    directoryOf: ({ file }) => directoryOf(file, reading),
  };
}

function open(path: string, given: string | null, { comments, files }: Reading): Sourced | Refused {
  const known = files.get(path);
  if (known !== undefined) return known;
  const further = given === null ? readFurther(path) : { ok: true as const, text: given };
  const read = further.ok ? readYaml(further.text, path) : further;
  const root = read.ok ? read.root : read;
  files.set(path, root);
  if (read.ok) comments.set(path, read.comments);
  return root;
}

function directoryOf(file: string, { directories }: Reading): string {
  return directories.get(file) ?? dirname(file);
}

function gather(path: string, root: Sourced, services: Map<string, Sourced>, reading: Reading, above: readonly string[]): Refused | null {
  if (above.includes(path)) return refuse(`${path}:${root.line}: files include each other in a circle: ${[...above, path].join(' -> ')}`);
  reading.roots.add(root);
  for (const item of root.entries?.get('include')?.items ?? []) {
    const files = textsOf(item.entries?.get('path') ?? item).map((other) => resolve(directoryOf(path, reading), other));
    const written = item.entries?.get('project_directory')?.value;
    const directory = typeof written === 'string' ? resolve(directoryOf(path, reading), written) : dirname(files[0] ?? path);
    for (const included of files) {
      if (directory !== dirname(included)) reading.directories.set(included, directory);
      const inner = open(included, null, reading);
      const problem = 'reason' in inner ? refuse(`${path}:${item.line}: include: ${inner.reason}`) : gather(included, inner, services, reading, [...above, path]);
      if (problem !== null) return problem;
    }
  }
  for (const [name, node] of root.entries?.get('services')?.entries ?? []) {
    const whole = extended(path, name, node, reading, []);
    if ('reason' in whole) return whole;
    services.set(name, whole);
  }
  return null;
}

/** The service with what it extends under its own keys. */
function extended(path: string, name: string, node: Sourced, reading: Reading, above: readonly string[]): Sourced | Refused {
  const from = node.entries?.get('extends');
  if (from === undefined) return node;
  const id = `${path}#${name}`;
  if (above.includes(id)) return refuse(`${path}:${from.line}: services extend each other in a circle: ${[...above, id].map((one) => one.replace(/.*#/, '')).join(' -> ')}`);
  const [file, service] = [from.entries?.get('file')?.value, from.entries?.get('service')?.value ?? from.value];
  const base = typeof file === 'string' ? resolve(directoryOf(path, reading), file) : path;
  const root = open(base, null, reading);
  if ('reason' in root) return refuse(`${path}:${from.line}: services.${name}.extends: ${root.reason}`);
  const under = root.entries?.get('services')?.entries?.get(String(service));
  if (under === undefined) return refuse(`${path}:${from.line}: services.${name}.extends: there is no service '${String(service)}' in ${base}`);
  const whole = extended(base, String(service), under, reading, [...above, id]);
  if ('reason' in whole) return whole;
  const own: Sourced = { ...node, entries: new Map([...(node.entries ?? [])].filter(([key]) => key !== 'extends')) };
  return merged(whole, own, '');
}

const replaced = new Set(['command', 'entrypoint', 'test']);
/** Lists of `NAME=value`, which are maps of their own. */
const pairs = new Set(['environment', 'labels', 'extra_hosts', 'sysctls', 'args', 'annotations']);

/** Compose's rule: maps are merged, lists are joined, commands and everything else are replaced. */
function merged(under: Sourced, over: Sourced, key: string): Sourced {
  const [left, right] = pairs.has(key) ? [asMap(under), asMap(over)] : key === 'depends_on' ? [conditions(under), conditions(over)] : [under, over];
  if (left.entries !== null && right.entries !== null) {
    const entries = new Map(left.entries);
    for (const [name, inner] of right.entries) {
      const before = entries.get(name);
      entries.set(name, before === undefined ? inner : merged(before, inner, name));
    }
    return { ...right, entries };
  }
  if (!replaced.has(key) && left.items !== null && right.items !== null) return { ...right, items: [...left.items, ...right.items] };
  return right;
}

/** `NAME=value` lines as a map; a name alone has no value. */
export function asMap(node: Sourced): Sourced {
  return mapOf(node, (item) => {
    const [, name = '', value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(String(item.value ?? '')) ?? [];
    return [name, { ...item, value: value ?? null }];
  });
}

function conditions(node: Sourced): Sourced {
  return mapOf(node, (item) => [String(item.value), { ...item, value: null, entries: new Map() }]);
}

/** A list as a map; what is no list stays as it is. */
function mapOf(node: Sourced, entryOf: (item: Sourced) => [string, Sourced]): Sourced {
  return node.items === null ? node : { ...node, items: null, entries: new Map(node.items.map(entryOf)) };
}

function textsIn({ value, items, entries }: Sourced): readonly string[] {
  if (typeof value === 'string') return [value];
  return [...(items ?? []), ...(entries?.values() ?? [])].flatMap(textsIn);
}
