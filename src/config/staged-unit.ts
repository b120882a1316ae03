import { createHash } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeDirectories, replaceFile } from '../files.ts';
import { stagedDirectory } from './ad-hoc-list.ts';
import { quoteArgv } from './launch.ts';

export interface StagedUnit {
  readonly command: readonly string[];
  /** Where the command runs: the caller's directory. */
  readonly cwd: string;
  readonly name: string | null;
}

/** Where the configuration of one command lies. */
export function stagedPath(stateDir: string, { command, name }: Pick<StagedUnit, 'command' | 'name'>): string {
  return join(stagedDirectory(stateDir), `${unitName({ command, name })}-${commandHash(command)}.yaml`);
}

/** The name of the unit in such a file. */
export function stagedName(path: string): string {
  return basename(path).replace(/-[0-9a-f]{12}\.yaml$/, '');
}

/** The given name as a plain one, else one of the command's own. */
export function unitName({ command, name }: Pick<StagedUnit, 'command' | 'name'>): string {
  return name === null ? defaultName(command) : plainName(name);
}

/**
 * Writes the configuration of one command as systemg 0.33.0 does and returns its path. Files older than 30 days are removed, and all
 * but the newest 200; those `inUse` are kept. Throws errors of the file system.
 */
export function stageUnit(stateDir: string, unit: StagedUnit, inUse: readonly string[]): string {
  const { command, cwd } = unit;
  const [path, service] = [stagedPath(stateDir, unit), unitName(unit)];
  makeDirectories(dirname(path));
  replaceFile(path, `version: "1"\nservices:\n  ${service}:\n    command: ${scalar(asTheyAre(command))}\n    working_dir: ${scalar(cwd.replaceAll('$', () => '$$'))}\n`, { durable: false });
  prune(dirname(path), new Set([path, ...inUse]), Date.now());
  return path;
}

/** The name of a command that was given none. */
export function defaultName(command: readonly string[]): string {
  return `${plainName(command[0] ?? '')}-${commandHash(command)}`;
}

/** A name of ASCII letters, digits, `_` and `-`. */
export function plainName(text: string): string {
  const plain = text.replaceAll(/[^A-Za-z0-9_-]/gu, '-').replaceAll(/^-+|-+$/g, '').toLowerCase();
  return plain === '' ? 'unit' : plain;
}

function commandHash(command: readonly string[]): string {
  const hash = createHash('sha256');
  for (const argument of command) hash.update(`${argument}\0`);
  return hash.digest('hex').slice(0, 12);
}

/** The words as one command line in which nothing is a reference. Words with `$` are in single quotes, which may be closed and opened again. */
function asTheyAre(words: readonly string[]): string {
  return quoteArgv(words).replaceAll(/\$+\{/g, (found) => (found === '${' ? '$${' : `${found.slice(0, -1)}''{`));
}

/** Single quotes as in 0.33.0; a single-quoted scalar would fold line breaks and cannot hold control characters. */
function scalar(text: string): string {
  return /\p{Cc}/u.test(text) ? JSON.stringify(text) : `'${text.replaceAll("'", "''")}'`;
}

const KEPT_MS = 30 * 86_400_000;
const KEPT_FILES = 200;

function prune(directory: string, spared: ReadonlySet<string>, nowMs: number): void {
  const files = readdirSync(directory).filter((file) => file.endsWith('.yaml')).map((file) => join(directory, file));
  const dated = files.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined || spared.has(path) ? [] : [{ path, mtimeMs: stat.mtimeMs }];
  }).sort((one, other) => other.mtimeMs - one.mtimeMs);
  const room = KEPT_FILES - (files.length - dated.length);
  for (const [index, { path, mtimeMs }] of dated.entries()) {
    if (index >= room || nowMs - mtimeMs > KEPT_MS) rmSync(path, { force: true });
  }
}
