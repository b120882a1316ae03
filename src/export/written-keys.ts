import { dirname, resolve } from 'node:path';
import { parseSource, type Finding, type SourceNode } from '../config/document.ts';

/** Where each key of a service stands in the file, its own before that of `defaults`. */
export interface WrittenKeys {
  readonly file: string;
  /** Of the deepest part of the path that was written. */
  line(service: string, path: readonly string[]): number;
  has(service: string, path: readonly string[]): boolean;
  /** The key is that of `defaults`, for all services that do not have it. */
  isDefault(service: string, path: readonly string[]): boolean;
  /** The env files that a service gets, the one that wins last. */
  envFiles(service: string): readonly string[];
  /** The names that are given in the file itself. */
  variables(service: string): ReadonlySet<string>;
}

export function openWrittenKeys(file: string, text: string): WrittenKeys {
  const findings: Finding[] = [];
  const { root, locate } = parseSource(text, findings);
  const services = (name: string): SourceNode | null => at(at(root, 'services')?.value ?? null, name)?.value ?? null;
  const rootNode = root;
  const lookup = (service: string, path: readonly string[]): { readonly offset: number; readonly whole: boolean } => {
    const own = services(service);
    const [first = ''] = path;
    const defaults = at(rootNode, 'defaults')?.value ?? null;
    let node = at(own, first) === null && at(defaults, first) !== null ? defaults : own;
    let offset = own?.offset ?? 0;
    for (const [index, key] of path.entries()) {
      const entry = at(node, key);
      if (entry === null) return { offset, whole: false };
      offset = entry.keyOffset;
      node = entry.value;
      if (index === path.length - 1) return { offset, whole: true };
    }
    return { offset, whole: path.length === 0 };
  };
  const blocks = (service: string): readonly SourceNode[] => {
    const own = at(services(service), 'env') ?? at(at(rootNode, 'defaults')?.value ?? null, 'env');
    return [at(rootNode, 'env'), own].flatMap((entry) => (entry === null ? [] : [entry.value]));
  };
  return {
    file,
    line: (service, path) => locate(lookup(service, path).offset).line,
    has: (service, path) => lookup(service, path).whole,
    isDefault: (service, [first = '']) => at(services(service), first) === null && at(at(rootNode, 'defaults')?.value ?? null, first) !== null,
    envFiles: (service) =>
      blocks(service).flatMap((block) => {
        const found = at(block, 'file')?.value;
        return found?.kind === 'scalar' ? [resolve(dirname(file), found.text)] : [];
      }),
    variables: (service) =>
      new Set(
        blocks(service).flatMap((block) =>
          block.kind !== 'map'
            ? []
            : block.entries.flatMap(({ key, value }) =>
                key === 'vars' && value.kind === 'map' ? value.entries.map((entry) => entry.key) : key === 'file' || key === 'vars' ? [] : [key],
              ),
        ),
      ),
  };
}

function at(node: SourceNode | null, key: string) {
  return node?.kind === 'map' ? (node.entries.find((entry) => entry.key === key) ?? null) : null;
}
