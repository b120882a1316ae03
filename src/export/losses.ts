import type { WrittenKeys } from './written-keys.ts';

export interface Loss {
  /** Absolute. */
  readonly file: string;
  readonly line: number;
  /** `lost`: it has no match in the other engine. `changed`: it means something else there. */
  readonly kind: 'lost' | 'changed';
  /** `web.essential`. */
  readonly key: string;
  readonly text: string;
}

/** What an engine cannot say, gathered while its files are made. A key that nobody wrote is not lost. */
export type Losses = ReturnType<typeof openLosses>;

export function openLosses(keys: WrittenKeys) {
  const losses: Loss[] = [];
  const add = (kind: Loss['kind']) => (service: string, path: string, text: string): void => {
    const parts = path === '' ? [] : path.split('.');
    if (!keys.has(service, parts)) return;
    const { file, line } = keys.place(service, parts);
    const loss = { file, line, kind, key: [keys.isDefault(service, parts) ? 'defaults' : service, ...parts].join('.'), text };
    if (!losses.some((known) => known.key === loss.key && known.file === file && known.text === text)) losses.push(loss);
  };
  return { lost: add('lost'), changed: add('changed'), all: () => byPlace(losses) };
}

/** File by file, as they were met. */
function byPlace(losses: readonly Loss[]): readonly Loss[] {
  const files = [...new Set(losses.map(({ file }) => file))];
  return losses.toSorted((left, right) => files.indexOf(left.file) - files.indexOf(right.file) || left.line - right.line);
}

/** Names every key of the table that was written. Keys of one reason stand together, with blanks between them. */
export function loseAll(losses: Losses, service: string, reasons: Readonly<Record<string, string>>): void {
  for (const [paths, text] of Object.entries(reasons)) for (const path of paths.split(' ')) losses.lost(service, path, text);
}
