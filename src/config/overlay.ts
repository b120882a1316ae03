import type { SourceEntry, SourceMap, SourceNode } from './document.ts';

/** One tree of all; null where there are none. */
export function overlaidAll(trees: readonly SourceNode[]): SourceNode | null {
  return trees.reduce<SourceNode | null>((below, above) => (below === null ? above : overlaid(below, above)), null);
}

/** One tree of two files: services key by key, variables name by name; every other value of the upper file takes the place of the lower one's. */
function overlaid(lower: SourceNode, upper: SourceNode): SourceNode {
  return merged(lower, upper, (key, below, above) => {
    if (key === 'services') return merged(below, above, (_, one, other) => service(one, other));
    if (key === 'env') return variables(below, above);
    return key === 'defaults' ? service(below, above) : merged(below, above, replaced);
  });
}

type Join = (key: string, below: SourceNode, above: SourceNode) => SourceNode;

const replaced: Join = (_, __, above) => above;

/** A service has one of `command` and `exec`: the upper file's. */
function service(below: SourceNode, above: SourceNode): SourceNode {
  const hasCommand = above.kind === 'map' && above.entries.some(({ key }) => key === 'command' || key === 'exec');
  const rest = below.kind === 'map' && hasCommand ? { ...below, entries: below.entries.filter(({ key }) => key !== 'command' && key !== 'exec') } : below;
  return merged(rest, above, (key, one, other) => (key === 'env' ? variables(one, other) : other));
}

/** Variables stand in `env` itself, or in `vars` beside a `file`. */
function variables(below: SourceNode, above: SourceNode): SourceNode {
  const [one, other] = [below, above].some(isBlock) ? [asBlock(below), asBlock(above)] : [below, above];
  return merged(one, other, (key, lower, upper) => (key === 'vars' ? merged(lower, upper, replaced) : upper));
}

function isBlock(node: SourceNode): boolean {
  return node.kind === 'map' && node.entries.some(({ key }) => key === 'vars' || key === 'file');
}

function asBlock(node: SourceNode): SourceNode {
  if (isBlock(node) || node.kind !== 'map') return node;
  const { offset } = node;
  return { kind: 'map', offset, entries: [{ key: 'vars', keyOffset: offset, value: node }] };
}

/** Maps key by key; of anything else the upper value. */
function merged(below: SourceNode, above: SourceNode, join: Join): SourceNode {
  if (below.kind !== 'map' || above.kind !== 'map') return above;
  const upper = new Map(above.entries.map((entry) => [entry.key, entry]));
  const present = new Set(below.entries.map(({ key }) => key));
  const entries = below.entries.map((entry): SourceEntry => {
    const over = upper.get(entry.key);
    return over === undefined ? entry : { ...over, value: join(entry.key, entry.value, over.value) };
  });
  return { ...below, entries: [...entries, ...above.entries.filter(({ key }) => !present.has(key))] } satisfies SourceMap;
}
