/** JSON as it was written: a number with a fraction stays apart from a whole one. */
export type Wire = null | boolean | number | string | Float | readonly Wire[] | { readonly [key: string]: Wire };

export class Float {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** One line of an answer; throws when it is not JSON. */
export function readWire(line: string): Wire {
  const marked = line.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) => (!token.startsWith('"') && /[.eE]/.test(token) ? `{"$float":"${token}"}` : token));
  return JSON.parse(marked, (_key, value: unknown) => (isMarked(value) ? new Float(value.$float) : value)) as Wire;
}

/**
 * What differs, one sentence each, with the path in front. Values that vary from run to run need the same type and form
 * only; units are paired by name; processes below a unit are compared as a set, with their depths checked against the tree.
 */
export function differences(recorded: Wire, ours: Wire, path = ''): readonly string[] {
  const key = path.slice(path.lastIndexOf('.') + 1).replace(/\[.*$/, '');
  if (typeOf(recorded) !== typeOf(ours)) return [`${path}: ${typeOf(recorded)} ${show(recorded)} became ${typeOf(ours)} ${show(ours)}`];
  if (isList(recorded) && isList(ours)) {
    if (key === 'units') return units(recorded, ours, path);
    if (key === 'spawned_children') return processes(recorded, ours, path);
    return list(recorded, ours, path);
  }
  if (isRecord(recorded) && isRecord(ours)) return record(recorded, ours, path);
  if (typeof recorded === 'string' && typeof ours === 'string') {
    const form = /\.cron\..*\.(?:started|completed)_at$/.test(path) ? wholeSeconds : forms.get(key);
    if (form !== undefined) return form.test(ours) ? [] : [`${path}: ${show(ours)} has not the form ${String(form)}`];
  }
  if (recorded instanceof Float || varying.has(key) || recorded === ours) return [];
  return [`${path}: ${show(recorded)} became ${show(ours)}`];
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(?:\d{3}|\d{6}|\d{9}))?Z$/;
const wholeSeconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const forms: ReadonlyMap<string, RegExp> = new Map([
  ...['captured_at', 'started_at', 'completed_at', 'timestamp'].map((key): [string, RegExp] => [key, time]),
  ['human', /^\d+ (?:secs|mins|hours|days|weeks) ago$/],
  ['user', /./],
]);
const varying: ReadonlySet<string> = new Set([
  'pid', 'parent_pid', 'seconds', 'samples', 'latest_rss_bytes', 'rss_bytes', 'secs_since_epoch', 'nanos_since_epoch',
  'io_read_bytes', 'io_write_bytes', 'net_rx_bytes', 'net_tx_bytes',
]);

type WireRecord = { readonly [key: string]: Wire };

function record(recorded: WireRecord, ours: WireRecord, path: string): readonly string[] {
  const missing = Object.keys(recorded).filter((key) => !Object.hasOwn(ours, key)).map((key) => `${path}.${key}: missing`);
  const further = Object.keys(ours).filter((key) => !Object.hasOwn(recorded, key)).map((key) => `${path}.${key}: further key`);
  const common = Object.keys(recorded).filter((key) => Object.hasOwn(ours, key));
  const order = Object.keys(ours).filter((key) => common.includes(key));
  const swapped = order.join() === common.join() ? [] : [`${path}: keys in the order ${order.join()}, recorded ${common.join()}`];
  return [...missing, ...further, ...swapped, ...common.flatMap((key) => differences(recorded[key] ?? null, ours[key] ?? null, `${path}.${key}`))];
}

function list(recorded: readonly Wire[], ours: readonly Wire[], path: string): readonly string[] {
  const length = recorded.length === ours.length ? [] : [`${path}: ${recorded.length} elements became ${ours.length}`];
  return [...length, ...ours.flatMap((item, index) => {
    const like = recorded[Math.min(index, recorded.length - 1)];
    return like === undefined ? [] : differences(like, item, `${path}[${index}]`);
  })];
}

function units(recorded: readonly Wire[], ours: readonly Wire[], path: string): readonly string[] {
  const names = (all: readonly Wire[]): readonly string[] => all.map((unit) => (isRecord(unit) ? String(unit['name']) : '?'));
  const mine = names(ours);
  const theirs = names(recorded);
  const order = mine.join() === theirs.join() ? [] : [`${path}: in the order ${mine.join()}, recorded ${theirs.join()}`];
  return [...order, ...theirs.flatMap((name, index) => {
    const at = mine.indexOf(name);
    return at === -1 ? [`${path}[${name}]: missing`] : differences(recorded[index] ?? null, ours[at] ?? null, `${path}[${name}]`);
  })];
}

function processes(recorded: readonly Wire[], ours: readonly Wire[], path: string): readonly string[] {
  const first = recorded[0];
  const anyChild = first !== undefined && isRecord(first) ? first['child'] : undefined;
  if (anyChild === undefined || !isRecord(anyChild)) return [`${path}: nothing recorded to compare with`];
  const visit = (nodes: Wire, depth: number, at: string): readonly string[] => (isList(nodes) ? nodes.flatMap((node, index) => {
    const here = `${at}[${index}]`;
    if (!isRecord(node)) return [`${here}: ${show(node)} is no node`];
    const { child = null, children = [], ...rest } = node;
    const found = isRecord(child) ? { ...child } : {};
    for (const name of ['name', 'command']) if (typeof found[name] === 'string') found[name] = anyChild[name] ?? null;
    return [
      ...Object.keys(rest).map((key) => `${here}.${key}: further key`),
      ...differences({ ...anyChild, depth }, found, `${here}.child`),
      ...visit(children, depth + 1, `${here}.children`),
    ];
  }) : [`${at}: ${show(nodes)} is no list`]);
  return [...(ours.length === 0 ? [`${path}: empty instead of absent`] : []), ...visit(ours, 1, path)];
}

function typeOf(value: Wire): string {
  if (value === null) return 'null';
  if (isList(value)) return 'list';
  if (value instanceof Float) return 'float';
  return typeof value;
}

function isList(value: Wire): value is readonly Wire[] {
  return Array.isArray(value);
}

function isRecord(value: Wire): value is WireRecord {
  return typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Float);
}

function isMarked(value: unknown): value is { readonly $float: string } {
  return typeof value === 'object' && value !== null && '$float' in value && typeof value.$float === 'string';
}

function show(value: Wire): string {
  const text = value instanceof Float ? value.text : JSON.stringify(value);
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
