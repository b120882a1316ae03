import { existsSync, lstatSync, readFileSync, readlinkSync, rmSync, symlinkSync, chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { attempt, refuse, type Refused, textOf } from '../errors.ts';
import { makeDirectories, replaceFile } from '../files.ts';
import { initSystems, type InitSystem } from '../init-system.ts';
import { linesIn, longestCommand, withLines } from './crontab.ts';
import { bootEntry, type BootEntry } from './entry.ts';
import type { Machine } from './machine.ts';
import { bootName, orderIn, type BootOrder } from './order.ts';

/** An entry that is there. */
export interface Installed {
  /** What it is made from, and what it would be if it were made now. */
  readonly order: BootOrder;
  readonly entry: BootEntry;
  readonly isEdited: boolean;
  /** The init system looks at it when the machine boots. */
  readonly isEnabled: boolean;
}

type Whose = Pick<BootOrder, 'system' | 'project'>;
export type Done = { readonly ok: true; /** What did not work and does not matter before the next boot. */ readonly complaint: string | null } | Refused;

/** Makes the entry, or makes it anew. A file of that name that is not ours is only replaced with `force`. */
export async function install(init: InitSystem, order: BootOrder, machine: Machine, force: boolean): Promise<Done> {
  const entry = bootEntry(init, order, machine);
  try {
    if (entry.file === null) return await installLines(entry, order, machine);
    if (existsSync(entry.file) && orderIn(readFileSync(entry.file, 'utf8')) === null && !force) {
      return refuse(`${entry.file} was not written by sysg boot install: nothing was changed; --force replaces it`);
    }
    makeDirectories(dirname(entry.file), 0o755);
    replaceFile(entry.file, entry.text, { durable: true });
    chmodSync(entry.file, entry.mode);
    if (entry.link !== null) relink(entry.link, entry.file);
    return { ok: true, complaint: reloaded(entry, machine) };
  } catch (error) {
    return refuse(`${entry.title} could not be written: ${textOf(error)}`);
  }
}

/** Removes what was found. A running supervisor goes on. */
export async function uninstall({ entry, order }: Installed, machine: Machine): Promise<Done> {
  try {
    if (entry.file === null) {
      await machine.writeCrontab(withLines(await machine.readCrontab(), bootName(order), ''));
      return { ok: true, complaint: null };
    }
    if (entry.link !== null) rmSync(entry.link, { force: true });
    rmSync(entry.file, { force: true });
    return { ok: true, complaint: reloaded(entry, machine) };
  } catch (error) {
    return refuse(`${entry.title} could not be removed: ${textOf(error)}`);
  }
}

/** Everything that would start this supervisor, of whatever init system, the one that runs here or not. Throws what keeps it from being read. */
export async function findInstalled(whose: Whose, machine: Machine): Promise<readonly Installed[]> {
  const found: Installed[] = [];
  for (const init of initSystems) {
    const { file } = bootEntry(init, { ...nothing, ...whose }, machine);
    const text = file === null ? await linesOf(whose, machine) : attempt(() => readFileSync(file, 'utf8'), null, 'ENOENT', 'ENOTDIR');
    const order = text === null ? null : orderIn(text);
    if (order === null || order.system !== whose.system) continue;
    const entry = bootEntry(init, order, machine);
    found.push({ order, entry, isEdited: text !== entry.text, isEnabled: entry.link === null || isLink(entry.link) });
  }
  return found;
}

const nothing: BootOrder = { program: '', config: '', system: false, project: null, profiles: [], flags: [], searchPath: '', stopSeconds: 0 };

async function installLines(entry: BootEntry, order: BootOrder, machine: Machine): Promise<Done> {
  const length = Buffer.byteLength(entry.text.trimEnd().split('\n').at(-1) ?? '');
  if (length > longestCommand) return refuse(`the line would have ${length} bytes, of which cron takes ${longestCommand}: call sysg boot install with a shorter PATH`);
  await machine.writeCrontab(withLines(await machine.readCrontab(), bootName(order), entry.text));
  return { ok: true, complaint: null };
}

async function linesOf(whose: Whose, machine: Machine): Promise<string | null> {
  return machine.find('crontab') === null ? null : linesIn(await machine.readCrontab(), bootName(whose));
}

function reloaded({ reload }: BootEntry, machine: Machine): string | null {
  const [program, ...words] = reload ?? [];
  return program === undefined ? null : machine.run(program, ...words);
}

function relink(link: string, target: string): void {
  makeDirectories(dirname(link), 0o755);
  if (isLink(link) && readlinkSync(link) === target) return;
  rmSync(link, { force: true });
  symlinkSync(target, link);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
