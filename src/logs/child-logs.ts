import { chownSync, closeSync, constants, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reporting } from '../errors.ts';
import { makeStateDirectories } from '../files.ts';
import type { LogSpec } from '../../machines/types.ts';
import { Channel, openEnds, type ChildEnds } from './channel.ts';
import { makeCompressor } from './compress.ts';
import { ensureFifos, isFifo, type LogOwner } from './fifo.ts';
import { listed, logStreams, plain, type LogStream } from './names.ts';
import type { LogStoreOptions } from './store.ts';

export interface ChildLog {
  /** Names its FIFOs. */
  readonly id: string;
  readonly unit: string;
  readonly name: string;
  readonly pid: number;
  readonly logs: LogSpec;
  readonly owner: LogOwner | null;
}

/** The directories are those of the services: children have one of their own in each. `echo` gets `service:child` for the unit. */
export interface ChildLogsOptions extends LogStoreOptions {
  /** Pairs of files of ended children that stay. */
  readonly keptPairs?: number;
}

/** The output of spawned children: a FIFO and a file for each stream, as services have. The file carries the pid, so reading begins after the start. */
export interface ChildLogs {
  /** For a child to be, as `openEnds` of channels says. */
  openEnds(id: string, owner: LogOwner | null): ChildEnds;
  /** Reads what a started child writes, and what it wrote while nobody read. */
  attach(log: ChildLog): void;
  /** Nobody writes any more: keeps the rest and lets go, and removes the oldest files of ended children. */
  release(id: string): void;
  /** Writes what is in the FIFOs now. */
  drain(): void;
  /** Opens the files anew: somebody has moved them away. */
  reopen(): void;
  /** Removes the FIFOs of children nobody knows. */
  prune(): void;
  close(): void;
}

export function openChildLogs(options: ChildLogsOptions): ChildLogs {
  const { onProblem, echo, keptPairs = 200 } = options;
  const fifoDir = join(options.fifoDir, 'spawn');
  const logDir = join(options.logDir, 'spawn');
  const compressor = makeCompressor(onProblem);
  const attached = new Map<string, { readonly stem: string; readonly channels: readonly Channel[] }>();
  /** Held from before the start until there is a reader: a FIFO that nobody has open forgets what is in it. */
  const held = new Map<string, number>();
  /** FIFOs for children to come: making one takes a subprocess, for which everything waits. */
  const spares: string[] = [];
  const fifoOf = (id: string, stream: LogStream): string => join(fifoDir, `${id}.${stream}`);

  const letGo = (fifo: string): void => {
    const descriptor = held.get(fifo);
    if (descriptor !== undefined) closeSync(descriptor);
    held.delete(fifo);
  };

  const spare = (): string => {
    const next = spares.pop();
    if (next !== undefined && isFifo(next)) return next;
    // The first time, or all are used up, or somebody has removed them.
    makeStateDirectories(fifoDir);
    const [first = '', ...paths] = Array.from({ length: SPARES }, (_, number) => join(fifoDir, `spare-${number}`));
    const { problems } = ensureFifos([first, ...paths].map((path) => ({ path, owner: null })));
    if (problems[0] !== undefined) throw new Error(problems[0]);
    spares.splice(0, Infinity, ...paths);
    return first;
  };

  const openEnd = (id: string, stream: LogStream, owner: LogOwner | null): number => {
    const fifo = fifoOf(id, stream);
    letGo(fifo);
    renameSync(spare(), fifo);
    if (owner !== null) chownSync(fifo, owner.uid, owner.gid);
    held.set(fifo, openSync(fifo, constants.O_RDWR));
    return openSync(fifo, constants.O_RDWR);
  };

  const removeOld = (): void => {
    const pairs = new Map<string, string[]>();
    for (const name of listed(logDir)) {
      const stem = /^(.+_[0-9]+)_(?:stdout|stderr)\.log(?:\..+)?$/.exec(name)?.[1];
      if (stem !== undefined) pairs.set(stem, [...(pairs.get(stem) ?? []), name]);
    }
    if (pairs.size <= keptPairs) return;
    const live = new Set([...attached.values()].map(({ stem }) => stem));
    const dated = [...pairs].filter(([stem]) => !live.has(stem)).map(([, names]) => ({
      names, at: Math.max(...names.map((name) => statSync(join(logDir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0)),
    }));
    for (const { names } of dated.toSorted((one, other) => one.at - other.at).slice(0, pairs.size - keptPairs)) {
      for (const name of names) rmSync(join(logDir, name), { force: true });
    }
  };

  return {
    openEnds: (id, owner) => openEnds('a spawned child', (stream) => openEnd(id, stream, owner), onProblem),
    attach({ id, unit, name, pid, logs, owner }) {
      if (attached.has(id)) return;
      const stem = `${short(unit) || 'dynamic'}_${short(name) || 'child'}_${pid}`;
      const label = `${unit}:${name === '' ? 'child' : name}`;
      const channels = logStreams.filter((stream) => isFifo(fifoOf(id, stream))).map((stream) => new Channel({
        unit, stream, fifo: fifoOf(id, stream), file: join(logDir, `${stem}_${stream}.log`), logs: { ...logs, via: 'pipe', logger: null }, owner,
        compressor, onProblem,
        onLine: echo === undefined ? null : (line) => echo(label, stream, line),
      }));
      attached.set(id, { stem, channels });
      for (const channel of channels) channel.read();
      for (const stream of logStreams) letGo(fifoOf(id, stream));
    },
    release(id) {
      for (const channel of attached.get(id)?.channels ?? []) {
        channel.drain();
        channel.close();
      }
      attached.delete(id);
      for (const fifo of logStreams.map((stream) => fifoOf(id, stream))) {
        letGo(fifo);
        reporting(onProblem, `${fifo}: cannot be removed`, () => rmSync(fifo, { force: true }));
      }
      reporting(onProblem, `${logDir}: old files cannot be removed`, removeOld);
    },
    reopen() {
      for (const { channels } of attached.values()) for (const channel of channels) channel.reopen();
    },
    drain() {
      for (const { channels } of attached.values()) for (const channel of channels) channel.drain();
    },
    prune() {
      reporting(onProblem, `${fifoDir}: cannot be cleared of old FIFOs`, () => {
        for (const name of listed(fifoDir)) {
          const isKnown = attached.has(name.replace(/\.(?:stdout|stderr)$/, '')) || spares.includes(join(fifoDir, name));
          if (!isKnown) rmSync(join(fifoDir, name), { force: true });
        }
      });
    },
    close() {
      for (const { channels } of attached.values()) for (const channel of channels) channel.close();
      attached.clear();
      for (const fifo of held.keys()) letGo(fifo);
      for (const path of spares.splice(0)) rmSync(path, { force: true });
    },
  };
}

const SPARES = 16;

/** NAME_MAX leaves room for about a hundred of each name. */
function short(name: string): string {
  return plain(name).slice(0, 90);
}
