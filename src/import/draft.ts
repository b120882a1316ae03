import { relative, resolve } from 'node:path';
import type { Block, BlockEntry, Plain, SourceComment, Sourced } from '../yaml-text.ts';
import type { Reader } from './reader.ts';
import type { Remarks } from './remarks.ts';

export interface DraftEntry {
  value: Plain | DraftBlock;
  readonly from: Sourced | null;
}

/** A map that is being made, in order; what an entry was made from brings its comments along. */
export type DraftBlock = Map<string, DraftEntry>;

export interface DraftService {
  readonly name: string;
  /** What it is in the source, for remarks: one and the same of all that are made of it. */
  readonly origin?: string;
  readonly from: Sourced;
  readonly block: DraftBlock;
}

/** A configuration that is being made. */
export interface Draft {
  readonly services: DraftService[];
  /** Top-level keys beside `version` and `services`. */
  readonly root: DraftBlock;
  readonly remarks: Remarks;
  /** What to say about the whole: sentences. */
  readonly notes: string[];
  /** The comments of each file that was read. */
  readonly comments: Map<string, readonly SourceComment[]>;
}

/** Far more than a machine runs; a few more digits would fill any memory. */
const MOST_PROCESSES = 1000;

/** Of one program, by a key that says how many, and how many of them are made: what is above the most in one file is named as lost. */
export function askedProcesses(read: Reader, key: string, { services }: Draft): { readonly count: number; readonly made: number } {
  const count = Math.max(1, Math.round(read.number(key) ?? 1));
  const made = Math.min(count, Math.max(1, MOST_PROCESSES - services.length));
  if (count > made) read.lose(key, `${made} of ${count} are made, the first ones`);
  if (count > 1) read.change(key, `${made} services, each with its number`);
  return { count, made };
}

/** What the source starts only when it is told to: `sysg start NAME`. */
export function startedByName(read: Reader, block: DraftBlock, key: string, name: string): void {
  put(block, 'profiles', [name], read.take(key));
  read.change(key, `started by name, or with start --profile ${name}; until then it is not among the units`);
}

/** A path of the source, relative to the directory of the result; `.` is that directory. */
export function rebased(path: string, from: string, to: string): string {
  if (path === to) return '.';
  if (path.startsWith('/') || path.startsWith('~')) return path;
  return relative(to, resolve(from, path)) || '.';
}

export function put(block: DraftBlock, key: string, value: Plain | DraftBlock | undefined, from: Sourced | null = null): void {
  if (value !== undefined) block.set(key, { value, from });
}

/** Of values that no place in a source says. */
export function plainBlock(values: Readonly<Record<string, Plain>>): DraftBlock {
  return new Map(Object.entries(values).map(([key, value]) => [key, { value, from: null }]));
}

/** An `env` block of a service, or nothing. Variables named as the keys of such a block need `vars` around them. */
export function envBlock(variables: DraftBlock, file: { readonly path: string; readonly from: Sourced | null } | null): DraftBlock | undefined {
  if (variables.size === 0 && file === null) return undefined;
  if (file === null && !variables.has('file') && !variables.has('vars')) return variables;
  const block: DraftBlock = new Map();
  if (file !== null) put(block, 'file', file.path.replaceAll('$', () => '$$'), file.from);
  if (variables.size > 0) put(block, 'vars', variables);
  return block;
}

/** Hands out each comment once. */
export interface CommentPool {
  /** The comments beside a place: lines directly above, and the one behind. */
  claim(place: Sourced): Pick<BlockEntry, 'above' | 'behind'>;
  /** What is left between two lines. */
  claimWithin(file: string, from: number, to: number): readonly string[];
}

export function openComments(comments: ReadonlyMap<string, readonly SourceComment[]>): CommentPool {
  const claimed = new Set<SourceComment>();
  const take = (found: SourceComment | undefined): string[] => {
    if (found === undefined || claimed.has(found)) return [];
    claimed.add(found);
    return [found.text];
  };
  return {
    claim({ file, line }) {
      const all = comments.get(file) ?? [];
      const above: string[] = [];
      for (let at = line - 1; ; at -= 1) {
        const texts = take(all.find((comment) => comment.line === at && comment.alone));
        if (texts.length === 0) break;
        above.unshift(...texts);
      }
      const [behind = null] = take(all.find((comment) => comment.line === line && !comment.alone));
      return { above, behind };
    },
    claimWithin: (file, from, to) => (comments.get(file) ?? []).filter(({ line }) => line >= from && line <= to).flatMap(take),
  };
}

/** With the comments of what each entry was made from. */
export function withComments(block: DraftBlock, pool: CommentPool): Block {
  return new Map([...block].map(([key, { value, from }]): [string, BlockEntry] => {
    const beside = from === null ? {} : pool.claim(from);
    return [key, { ...beside, value: value instanceof Map ? withComments(value as DraftBlock, pool) : value }];
  }));
}
