import { dirname, resolve } from 'node:path';
import { configPaths, firstConfigPath } from '../config-path.ts';
import { parseSource, type SourceNode } from '../config/document.ts';
import { overlaidAll } from '../config/overlay.ts';
import { readText } from '../config/source-file.ts';

/** Where each key of a service stands in the files, its own before that of `defaults`. */
export type WrittenKeys = ReturnType<typeof openWrittenKeys>;

/** Of a configuration, and of the files that it includes. */
export function openWrittenKeys(path: string, included: readonly string[]) {
  const files = [path, ...included].map(openFile);
  const fileOf = (service: string): WrittenFile => files.find((one) => serviceIn(one, service) !== null) ?? (files[0] as WrittenFile);
  const ownOf = (service: string): SourceNode | null => serviceIn(fileOf(service), service);
  const defaultsOf = (service: string): SourceNode | null => valueAt(fileOf(service).root, 'defaults');
  const isDefault = (service: string, [first = '']: readonly string[]): boolean => at(ownOf(service), first) === null && at(defaultsOf(service), first) !== null;
  const lookup = (service: string, keys: readonly string[]): { readonly offset: number; readonly whole: boolean } => {
    const own = ownOf(service);
    let node = isDefault(service, keys) ? defaultsOf(service) : own;
    let offset = own?.offset ?? 0;
    for (const key of keys) {
      const entry = at(node, key);
      if (entry === null) return { offset, whole: false };
      offset = entry.keyOffset;
      node = entry.value;
    }
    return { offset, whole: true };
  };
  const blocks = (service: string): readonly SourceNode[] => {
    const envs = [valueAt(fileOf(service).root, 'env'), valueAt(ownOf(service), 'env') ?? valueAt(defaultsOf(service), 'env')];
    return envs.filter((block) => block !== null);
  };
  return {
    /** Of the deepest part of the path that was written. */
    place: (service: string, keys: readonly string[]): { readonly file: string; readonly line: number } => fileOf(service).locate(lookup(service, keys).offset),
    has: (service: string, keys: readonly string[]): boolean => lookup(service, keys).whole,
    /** The key is that of `defaults`, for all services that do not have it. */
    isDefault,
    /** The env files that a service gets, the one that wins last. */
    envFiles: (service: string): readonly string[] => blocks(service).flatMap((block) => {
      const found = valueAt(block, 'file');
      return found?.kind === 'scalar' ? [resolve(fileOf(service).directory, found.text)] : [];
    }),
    /** The names that are given in the file itself. */
    variables: (service: string): ReadonlySet<string> => new Set(blocks(service).flatMap((block) => (block.kind !== 'map' ? [] : block.entries.flatMap(({ key, value }) => {
      if (key === 'vars' && value.kind === 'map') return value.entries.map((entry) => entry.key);
      return key === 'file' || key === 'vars' ? [] : [key];
    })))),
  };
}

interface WrittenFile {
  readonly directory: string;
  readonly root: SourceNode | null;
  readonly locate: (offset: number) => { readonly file: string; readonly line: number };
}

/** One file, or several that are laid over each other, whose offsets go on from one text to the next. */
function openFile(path: string): WrittenFile {
  let next = 0;
  const parsed = configPaths(path).flatMap((file) => {
    const [read, base] = [readText(file), next];
    if (!read.ok) return [];
    next += read.text.length + 1;
    return [{ file, base, ...parseSource(read.text, [], base) }];
  });
  return {
    directory: dirname(firstConfigPath(path)),
    root: overlaidAll(parsed.flatMap(({ root }) => root ?? [])),
    locate: (offset) => {
      const own = parsed.findLast(({ base }) => base <= offset);
      return { file: own?.file ?? path, line: own?.locate(offset).line ?? 0 };
    },
  };
}

function serviceIn({ root }: WrittenFile, service: string): SourceNode | null {
  return valueAt(valueAt(root, 'services'), service);
}

function at(node: SourceNode | null, key: string) {
  return node?.kind === 'map' ? (node.entries.find((entry) => entry.key === key) ?? null) : null;
}

function valueAt(node: SourceNode | null, key: string): SourceNode | null {
  return at(node, key)?.value ?? null;
}
