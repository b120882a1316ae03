import type { Sourced } from '../yaml-text.ts';

/** What a reader of the result has to know about a line of the source. */
export interface Remark {
  readonly file: string;
  readonly line: number;
  /** `lost`: it has no match. `changed`: it means something else now. */
  readonly kind: 'lost' | 'changed';
  /** `services.web.ports`; empty for a line as a whole. */
  readonly key: string;
  readonly text: string;
}

export interface Remarks {
  lost(place: Pick<Sourced, 'file' | 'line'>, key: string, text: string): void;
  changed(place: Pick<Sourced, 'file' | 'line'>, key: string, text: string): void;
  /** In the order of files and lines, each once. */
  all(): readonly Remark[];
}

export function openRemarks(): Remarks {
  const remarks = new Map<string, Remark>();
  const add = (kind: Remark['kind']): Remarks['lost'] => ({ file, line }, key, text) => {
    const id = JSON.stringify([file, line, key, text]);
    if (!remarks.has(id)) remarks.set(id, { file, line, kind, key, text });
  };
  return {
    lost: add('lost'),
    changed: add('changed'),
    all() {
      const files = [...new Set([...remarks.values()].map(({ file }) => file))];
      return [...remarks.values()].toSorted((left, right) => files.indexOf(left.file) - files.indexOf(right.file) || left.line - right.line);
    },
  };
}
