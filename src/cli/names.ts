import { refusals, type Refusal, type Result } from '../errors.ts';
import { didYouMean, globbed, naturally, nearMiss } from '../words.ts';
import { askStatus, withUnread } from './ask.ts';
import type { Call } from './call.ts';
import { globals, options } from './options.ts';
import { unitNamed } from './print/unit.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import type { UnitKind, UnitStatus } from '../wire/payloads.ts';
import { chooseConfigAtRest, chooseConfigToRead } from './config-choice.ts';

export type Named = Pick<KnownUnit, 'name' | 'hash' | 'kind'>;

/** The words that name units: those after the command, and those of `-s`. */
export function askedWords({ operands, flags }: Pick<Call, 'operands' | 'flags'>): readonly string[] {
  return [...new Set([...operands, ...flags.texts(options.service)])];
}

/** `--all` means every supervisor, with all that it has: what else is given to choose is refused. */
export function besideEvery(call: Call): Refusal | null {
  const words = askedWords(call);
  if (words.length > 0) return refusals.usage(`--all means every supervisor: expected no names of units with it, got ${words.join(' ')}`);
  const chosen = [options.config, globals.project].find((option) => call.flags.has(option));
  return chosen === undefined ? null : refusals.usage(`--all means every supervisor: expected no --${chosen.name} with it`);
}

/** Programs get a list where the command line may mean several units, else the one. */
export function meansSeveral(words: readonly string[]): boolean {
  return words.length > 1 || words.some(isPattern);
}

/**
 * The units that the command line names, each once; null: none is named, and all are meant. A single plain word is left to the one that is asked about the
 * unit, and so are several where no supervisor and no file says which units there are.
 */
export async function namedUnits(call: Call, words: readonly string[] = askedWords(call), look = knownUnits): Promise<Result<{ readonly names: readonly string[] | null }>> {
  if (words.length === 0) return { ok: true, names: null };
  if (!meansSeveral(words)) return { ok: true, names: words };
  const known = await look(call);
  if (!known.ok) return known;
  if (!known.isLive && known.units.length === 0 && !words.some(isPattern)) return { ok: true, names: words };
  return matchedOf(call, words, known.units);
}

/** As `matchNames`, with what makes a service known that is in the file alone. */
export async function matchedOf(call: Call, words: readonly string[], units: readonly Named[]): Promise<ReturnType<typeof matchNames>> {
  const named = matchNames(words, units);
  return named.ok ? named : { ok: false, refusal: { ...named.refusal, message: await withUnread(call, named.refusal.message) } };
}

/** The names that words and patterns stand for; one that stands for nothing refuses all of them. */
export function matchNames(words: readonly string[], units: readonly Named[]): Result<{ readonly names: readonly string[] }> {
  const { names, missing } = matchEach(words, units);
  return missing.length === 0 ? { ok: true, names } : { ok: false, refusal: { code: 'unknown-unit', message: missing.join('\n') } };
}

/** `missing`: a sentence for each word that stands for nothing. */
export function matchEach(words: readonly string[], units: readonly Named[]): { readonly names: readonly string[]; readonly missing: readonly string[] } {
  const names = units.filter(({ kind }) => kind !== 'orphaned').map(({ name }) => name);
  const found = words.map((word) => {
    const unit = unitNamed(units, word);
    if (unit !== undefined) return [unit.name];
    return isPattern(word) ? names.filter(globbed(word)) : [];
  });
  const missing = words.filter((_, index) => found[index]?.length === 0).map((word) => (isPattern(word) ? unmatched(word, names) : unknownUnit(word, names).message));
  return { names: [...new Set(found.flat())], missing };
}

/** As `unknownUnit`, with what makes a service known that is in the file of the supervisor alone. */
export async function notPresent(call: Call, word: string, names: readonly string[]): Promise<Refusal> {
  const { code, message } = unknownUnit(word, names);
  return { code, message: await withUnread(call, message) };
}

/** With the unit that was probably meant. */
export function unknownUnit(word: string, names: readonly string[]): Refusal {
  return refusals.unknownUnit(word, didYouMean(word, names));
}

export function isPattern(word: string): boolean {
  return /[*?]|\[.+\]/s.test(word);
}

/** A pattern that begins like no unit may be one with a slip of the finger. */
function unmatched(pattern: string, names: readonly string[]): string {
  const start = pattern.replace(/[*?[].*/s, '');
  const near = nearMiss(start, [...new Set(names.map((name) => name.slice(0, start.length)))]);
  const hint = start === '' || near === null ? `; the units are: ${naturally(names, String).join(', ') || 'none'}` : `, did you mean '${near}${pattern.slice(start.length)}'?`;
  return `no unit matches '${pattern}'${hint}`;
}

export interface KnownUnit {
  readonly name: string;
  readonly hash: string;
  readonly kind: UnitKind;
  readonly pid: number | null;
  /** Null: nobody knows. */
  readonly hasRun: boolean | null;
  readonly isSkipped: boolean;
}

/** From the supervisor, else from the configuration; a configuration that does not load leaves only the files. */
export async function knownUnits(call: Call): Promise<Result<{ readonly isLive: boolean; readonly units: readonly KnownUnit[] }>> {
  const status = await askStatus(call);
  if (status.ok) return { ok: true, isLive: true, units: status.snapshot.units.map(knownUnit) };
  return status.refusal.code === 'no-supervisor' ? { ok: true, isLive: false, units: await configuredUnits(call) } : status;
}

/** As `knownUnits`, and the services that a running supervisor leaves out by their profiles. */
export async function startableUnits(call: Call): ReturnType<typeof knownUnits> {
  const known = await knownUnits(call);
  const config = known.ok && known.isLive && call.host === null ? chooseConfigToRead(call) : null;
  if (!known.ok || config?.ok !== true) return known;
  const [{ loadConfigFor }, { profilesOf }] = await Promise.all([import('./load-config.ts'), import('../config/profiles.ts')]);
  const loaded = loadConfigFor(call, config.path);
  const leftOut = loaded.ok ? loaded.config.services.filter(({ name }) => profilesOf(loaded.config.profiles, name).length > 0 && !known.units.some((unit) => unit.name === name)) : [];
  return { ...known, units: [...known.units, ...leftOut.map(atRest)] };
}

function knownUnit({ name, hash, kind, process, generation, lifecycle }: UnitStatus): KnownUnit {
  return { name, hash, kind, pid: process?.pid ?? null, hasRun: generation === undefined ? null : generation > 0, isSkipped: lifecycle === 'skipped' };
}

/** The services of the configuration that a start would use, or of another one; none when there is no such file, or the file is refused. */
export async function configuredUnits(call: Call, config = chooseConfigAtRest(call)): Promise<readonly KnownUnit[]> {
  if (!config.ok) return [];
  const { combinedFor, loadConfigFor } = await import('./load-config.ts');
  const loaded = loadConfigFor(call, config.path);
  return loaded.ok ? combinedFor(call, loaded.config).specs.map(atRest) : [];
}

function atRest({ name, hash, cron }: Pick<ServiceSpec, 'name' | 'hash' | 'cron'>): KnownUnit {
  return { name, hash, kind: cron === null ? 'service' : 'cron', pid: null, hasRun: null, isSkipped: false };
}
