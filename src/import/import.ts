import { existsSync } from 'node:fs';
import { basename, dirname, join, parse, relative } from 'node:path';
import type { ConfigProblem } from '../config/problem.ts';
import { importKinds, type ImportKind } from '../engines.ts';
import { refuse, type Refused } from '../errors.ts';
import { readYaml, writeYaml, type BlockEntry } from '../yaml-text.ts';
import { importCompose } from './compose.ts';
import { openComments, put, withComments, type Draft, type DraftBlock, type DraftService } from './draft.ts';
import { importKindOf } from './kind.ts';
import { importPm2 } from './pm2.ts';
import { importProcessCompose } from './process-compose.ts';
import { importProcfile } from './procfile.ts';
import { openRemarks, type Remark } from './remarks.ts';
import { readFurther, type Importer, type Source } from './source.ts';
import { importSupervisord } from './supervisord.ts';
import { importSystemg } from './systemg.ts';

export interface ImportRequest extends Pick<Source, 'path' | 'target' | 'env' | 'envName'> {
  /** Null: by its content. */
  readonly kind: ImportKind | null;
  /** What paths are shown relative to. */
  readonly cwd: string;
  /** What is wrong with the text as a configuration in `target`. */
  readonly check: (text: string) => readonly ConfigProblem[];
}

export interface Imported {
  readonly ok: true;
  readonly kind: ImportKind;
  readonly text: string;
  readonly services: number;
  readonly remarks: readonly Remark[];
  readonly notes: readonly string[];
}

const importers: Readonly<Record<ImportKind, Importer>> = {
  pm2: importPm2,
  procfile: importProcfile,
  supervisord: importSupervisord,
  compose: importCompose,
  'process-compose': importProcessCompose,
  systemg: importSystemg,
};

/** What is known by its content, and of which only a page says what its keys are here. */
const notImported: readonly { readonly marks: readonly RegExp[]; readonly what: string; readonly page: string }[] = [
  { marks: [/^\[(?:Unit|Service|Timer|Install)\]/m], what: 'a unit of systemd', page: 'coming-from-systemd.md' },
  { marks: [/^apiVersion:/m, /^kind:/m], what: 'a manifest of Kubernetes', page: 'coming-from-kubernetes.md' },
];

/** Reads the file of another supervisor and makes a configuration of it, with a list of what is not the same. Writes nothing. */
export async function importFile(request: ImportRequest): Promise<Imported | Refused> {
  const { path, target, env, envName, cwd } = request;
  const read = readFurther(path);
  if (!read.ok) return read;
  const kind = request.kind ?? importKindOf(path, read.text);
  const yaml = kind === null && /\.(?:ya?ml|json)$/i.test(path) ? readYaml(read.text, path) : null;
  if (yaml?.ok === false) return yaml;
  const foreign = kind === null ? notImported.find(({ marks }) => marks.every((mark) => mark.test(read.text))) : undefined;
  if (foreign !== undefined) return refuse(`${path}:1: ${foreign.what}, which is not imported: docs/${foreign.page} has its keys side by side with those of sysg`);
  if (kind === null)
    return refuse(`${path}:1: expected a file of ${importKinds.slice(0, -1).join(', ')} or ${importKinds.at(-1)}, and found none of their keys; --from says what it is`);
  const draft: Draft = { services: [], root: new Map(), remarks: openRemarks(), notes: [], comments: new Map() };
  const refused = await importers[kind]({ path, text: read.text, directory: dirname(path), target, env, envName }, draft);
  if (refused !== null) return refused;
  const above = overrideOf(path, kind);
  if (above !== undefined) draft.remarks.lost({ file: path, line: 1 }, '', `${basename(above)} is laid over this file there; it is not read here: import what both are together`);
  const show = (file: string): string => {
    const short = relative(cwd, file);
    return short.startsWith('..') ? file : short;
  };
  for (let attempt = 0; ; attempt += 1) {
    const text = written(draft, kind, show(path), show);
    const problems = request.check(text);
    if (problems.length === 0) return { ok: true, kind, text, services: draft.services.length, remarks: draft.remarks.all(), notes: draft.notes };
    if (attempt < MOST_ATTEMPTS && problems.map((problem) => leaveOut(draft, problem)).some(Boolean)) continue;
    const [{ path: key, message }] = problems as readonly [ConfigProblem];
    const [top, name] = segments(key);
    const from = top === 'services' ? draft.services.find((one) => one.name === name)?.from : undefined;
    return refuse(`${from === undefined ? path : `${from.file}:${from.line}`}: no valid configuration can be made of it: ${key === '' ? '' : `${key}: `}${message}`);
  }
}

const MOST_ATTEMPTS = 50;

/** The file beside it that the other program reads, too, without being told. */
function overrideOf(path: string, kind: ImportKind): string | undefined {
  const { dir, name } = parse(path);
  const isRead = { compose: ['compose', 'docker-compose'], 'process-compose': ['compose', 'process-compose'] }[String(kind)]?.includes(name) === true;
  return isRead ? ['yml', 'yaml'].map((extension) => join(dir, `${name}.override.${extension}`)).find((file) => existsSync(file)) : undefined;
}

/** Takes what is not valid out of the draft and names it as lost. */
function leaveOut({ services, remarks }: Draft, { path, message }: ConfigProblem): boolean {
  const [top, name = '', key = '', inner] = segments(path);
  const service = services.find((one) => top === 'services' && one.name === name);
  const entry = service?.block.get(key);
  if (service === undefined || entry === undefined || key === 'command' || key === 'exec') return false;
  const nested = entry.value instanceof Map ? (entry.value as DraftBlock) : null;
  const within = inner !== undefined && nested?.has(inner) === true ? inner : null;
  const from = (within === null ? entry.from : (nested?.get(within)?.from ?? entry.from)) ?? service.from;
  // Without its schedule it would run at once, and for ever.
  const isSchedule = key === 'cron';
  if (isSchedule) put(service.block, 'skip', true);
  const { origin = name } = service;
  remarks.lost(from, [origin, key, ...(within === null ? [] : [within])].join('.'), isSchedule ? `${message}: ${origin} is skipped until it has another` : message);
  if (within === null || nested?.size === 1) service.block.delete(key);
  else nested?.delete(within);
  return true;
}

/** `services."my app".env` */
function segments(path: string): readonly string[] {
  return [...path.matchAll(/"(?:[^"\\]|\\.)*"|[^.]+/g)].map(([part]) => (part.startsWith('"') ? String(JSON.parse(part)) : part));
}

function written({ services, root, remarks, notes, comments }: Draft, kind: ImportKind, from: string, show: (file: string) => string): string {
  const pool = openComments(comments);
  const top = withComments(root, pool);
  const files = [...comments.keys()];
  let end = 0;
  let head: readonly string[] = [];
  const inOrder = services.toSorted((left, right) => files.indexOf(left.from.file) - files.indexOf(right.from.file) || left.from.line - right.from.line);
  const entries = new Map(inOrder.map((service, index): [DraftService, BlockEntry] => {
    const { from: place, block } = service;
    if (place.file !== inOrder[index - 1]?.from.file) end = 0;
    const { above = [], behind } = pool.claim(place);
    const value = withComments(block, pool);
    const before = pool.claimWithin(place.file, end + 1, place.line - 1);
    if (index === 0) head = before;
    end = Math.max(end, place.endLine);
    const beside = typeof behind === 'string' ? [behind] : [];
    return [service, { value, above: [...(index === 0 ? [] : before), ...above, ...beside, ...pool.claimWithin(place.file, place.line, place.endLine)] }];
  }));
  const blocks = services.map((service, index): [string, BlockEntry] => [service.name, { value: new Map(), ...entries.get(service), apart: index > 0 }]);
  const rest = files.flatMap((file) => pool.claimWithin(file, 0, Infinity));
  const list = remarks.all().map(({ file, line, kind: how, key, text }) => ` ${show(file)}:${line}: ${how}: ${key === '' ? '' : `${key}: `}${text.replaceAll('\n', ' ')}`);
  return writeYaml(new Map([['version', { value: '1' }], ...top, ['services', { value: new Map(blocks), apart: true }]]), {
    head: [` Made from ${from} by: sysg import --from ${kind}`, ...head],
    tail: [
      ...rest,
      ...(rest.length === 0 ? [] : ['']),
      ...notes.map((note) => ` ${note}`),
      list.length === 0 ? ` Everything in ${basename(from)} has a match here.` : ' What has no match here (lost), and what means something else (changed), by the lines of the source:',
      ...list,
    ],
  });
}
