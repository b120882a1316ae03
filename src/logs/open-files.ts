import { descriptorLimit, openLogsWithin } from '../process/descriptors.ts';

/** A log file that is open, and that may be closed at any moment between two uses: the next one opens it again. */
export interface OpenFile {
  rest(): void;
}

/** The least recently used first. */
const open = new Set<OpenFile>();

/** To be called with each use of the file. Closes what was used longest ago where more are open than may be. */
export function noteUse(file: OpenFile): void {
  open.delete(file);
  open.add(file);
  limit ??= openLogsWithin(descriptorLimit());
  const [first] = open;
  if (open.size > limit) first?.rest();
}

export function noteClosed(file: OpenFile): void {
  open.delete(file);
}

/** Closes all but the one, where no descriptor is left. Whether there were any. */
export function restOthers(file: OpenFile): boolean {
  const others = [...open].filter((other) => other !== file);
  for (const other of others) other.rest();
  return others.length > 0;
}

let limit: number | null = null;
