import { rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasCode, textOf } from '../errors.ts';
import { makeDirectories, quarantine, readPlainFile, replaceFile } from '../files.ts';
import { check, map, string } from '../wire/shape.ts';

/** The units that were started from the command line alone, by name: each has a file of its own, and runs beside the configuration until it is forgotten. */
export type AdHocUnits = ReadonlyMap<string, string>;

/** What is listed. A list that cannot be read is named; `copies`: whoever writes it anew keeps a copy. */
export function readAdHoc(stateDir: string, onProblem: (text: string) => void, copies = false): AdHocUnits {
  const file = listIn(stateDir);
  try {
    const listed: unknown = JSON.parse(readPlainFile(file).toString());
    check(listed, map(string), 'units');
    return new Map(Object.entries(listed).map(([name, path]) => [name, join(stagedDirectory(stateDir), basename(path))]));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return new Map();
    onProblem(`${file}: the list of units started from the command line cannot be read: ${textOf(error)}${copies ? quarantine(file) : ''}`);
    return new Map();
  }
}

/** Throws errors of the file system. */
export function writeAdHoc(stateDir: string, units: AdHocUnits): void {
  if (units.size === 0) return rmSync(listIn(stateDir), { force: true });
  makeDirectories(stateDir);
  replaceFile(listIn(stateDir), `${JSON.stringify(Object.fromEntries([...units].map(([name, path]) => [name, basename(path)])), null, 2)}\n`, { durable: true });
}

/** Takes the file of a unit away. A supervisor that was begun with the unit has no other configuration: without services, the file stays one. */
export function removeUnit(path: string, inUse: string | null): void {
  if (path === inUse) replaceFile(path, 'version: "1"\nservices: {}\n', { durable: true });
  else rmSync(path, { force: true });
}

export function without(units: AdHocUnits, names: readonly string[]): AdHocUnits {
  return new Map([...units].filter(([name]) => !names.includes(name)));
}

export function isStaged(stateDir: string, path: string): boolean {
  return dirname(path) === stagedDirectory(stateDir);
}

/** Where their files are, and those that systemg 0.33.0's clients write. */
export function stagedDirectory(stateDir: string): string {
  return join(stateDir, 'units');
}

function listIn(stateDir: string): string {
  return join(stateDir, 'ad-hoc.json');
}
