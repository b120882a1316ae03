import { dirname, resolve } from 'node:path';
import { parseSource, type SourceNode } from '../config/document.ts';

/** Where each key of a service stands in the file, its own before that of `defaults`. */
export type WrittenKeys = ReturnType<typeof openWrittenKeys>;

export function openWrittenKeys(file: string, text: string) {
  const { root, locate } = parseSource(text, []);
  const ownOf = (service: string): SourceNode | null => valueAt(valueAt(root, 'services'), service);
  const defaults = valueAt(root, 'defaults');
  const isDefault = (service: string, [first = '']: readonly string[]): boolean => at(ownOf(service), first) === null && at(defaults, first) !== null;
  const lookup = (service: string, path: readonly string[]): { readonly offset: number; readonly whole: boolean } => {
    const own = ownOf(service);
    let node = isDefault(service, path) ? defaults : own;
    let offset = own?.offset ?? 0;
    for (const key of path) {
      const entry = at(node, key);
      if (entry === null) return { offset, whole: false };
      offset = entry.keyOffset;
      node = entry.value;
    }
    return { offset, whole: true };
  };
  const blocks = (service: string): readonly SourceNode[] => (
    [valueAt(root, 'env'), valueAt(ownOf(service), 'env') ?? valueAt(defaults, 'env')].filter((block) => block !== null));
  return {
    /** Of the deepest part of the path that was written. */
    line: (service: string, path: readonly string[]): number => locate(lookup(service, path).offset).line,
    has: (service: string, path: readonly string[]): boolean => lookup(service, path).whole,
    /** The key is that of `defaults`, for all services that do not have it. */
    isDefault,
    /** The env files that a service gets, the one that wins last. */
    envFiles: (service: string): readonly string[] => blocks(service).flatMap((block) => {
      const found = valueAt(block, 'file');
      return found?.kind === 'scalar' ? [resolve(dirname(file), found.text)] : [];
    }),
    /** The names that are given in the file itself. */
    variables: (service: string): ReadonlySet<string> => new Set(blocks(service).flatMap((block) => (block.kind !== 'map' ? [] : block.entries.flatMap(({ key, value }) => {
      if (key === 'vars' && value.kind === 'map') return value.entries.map((entry) => entry.key);
      return key === 'file' || key === 'vars' ? [] : [key];
    })))),
  };
}

function at(node: SourceNode | null, key: string) {
  return node?.kind === 'map' ? (node.entries.find((entry) => entry.key === key) ?? null) : null;
}

function valueAt(node: SourceNode | null, key: string): SourceNode | null {
  return at(node, key)?.value ?? null;
}
