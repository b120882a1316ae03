import { basename, dirname, resolve } from 'node:path';
import type { ServiceSpec } from '../../machines/types.ts';
import { noSecrets, secretsOf, type Secrets } from '../secrets.ts';
import { configPaths, firstConfigPath } from '../config-path.ts';
import type { MetricsSpec } from '../metrics-spec.ts';
import { definitionOf } from './definition.ts';
import { complainCycles, resolveDependencies, type Dependent } from './dependencies.ts';
import { readEnv } from './env.ts';
import { resolveMetrics } from './metrics.ts';
import type { SourceEntry, SourceNode } from './document.ts';
import type { Scope } from './interpolate.ts';
import { below, child, complain, complainExpected, complainKey, entries, isNothing, items, mapEntries, missing, warn, type Outside, type Place } from './place.ts';
import { openSource, problemOfFile, type ConfigProblem, type OpenSource, type SourceText } from './problem.ts';
import { complainUnknown, readKeys } from './record.ts';
import { checkDefaults, rootKeys, servicePlaces } from './root.ts';
import { formerServiceKeys, resolveService, type DraftService, type Identify } from './service.ts';
import { readText } from './source-file.ts';
import { asVersionOne } from './version-two.ts';

export interface LoadedConfig {
  readonly path: string;
  /** The file as it was read, with its references. */
  readonly source: SourceNode;
  /** What the files that it includes say, by their paths. */
  readonly included: Readonly<Record<string, SourceNode>>;
  /** The names of the variables of each env file, by its path. */
  readonly envFiles: Readonly<Record<string, readonly string[]>>;
  readonly projectDir: string;
  /** Null: the file names none. */
  readonly project: string | null;
  /** In the order of the file. */
  readonly services: readonly ServiceSpec[];
  /** Of the services that have some. */
  readonly profiles: Readonly<Record<string, readonly string[]>>;
  /** `null`: the file has no `metrics` block. */
  readonly metrics: MetricsSpec | null;
  readonly warnings: readonly ConfigProblem[];
  /** What systemg 0.33.0 would have read otherwise, and the like: for `validate` alone. */
  readonly notes: readonly ConfigProblem[];
}

export type ConfigResult =
  /** `sayOf`: what is found out about a service later, at the first of the keys that it has, else at the service. */
  | { readonly ok: true; readonly config: LoadedConfig; readonly sayOf: (service: string, keys: readonly string[], message: string) => ConfigProblem | null }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export interface LoadContext {
  /** The environment that services inherit; references may name its variables. Never changed. */
  readonly env: NodeJS.ProcessEnv;
  readonly identify: Identify;
  /** Learns the values that are not to be shown; what is said of the file is masked. */
  readonly secrets?: Secrets;
}

interface SourceContext extends LoadContext {
  readonly readEnvFile?: Outside['readEnvFile'];
  /** Files that are included, as they were read before. */
  readonly included?: Readonly<Record<string, SourceNode>>;
  /** The variables with which the process of a service runs. */
  readonly inUse?: (service: string) => Scope;
}

/** Reads, checks and resolves the file at `path` (absolute). Everything wrong with it is reported at once; throws nothing. */
export function loadConfig(path: string, { env, identify, secrets = noSecrets }: LoadContext): ConfigResult {
  const read = configPaths(path).map((file) => ({ file, ...readText(file) }));
  const failed = read.flatMap(({ file, ...text }) => (text.ok ? [] : [problemOfFile(file, text.message, text.line)]));
  if (failed.length > 0) return { ok: false, problems: failed };
  return loadSource(path, read.flatMap(({ file, ...text }) => (text.ok ? [{ file, text: text.text }] : [])), { env, identify, secrets });
}

/** As `loadConfig`, of texts or of what was read from them before. */
export function loadSource(path: string, source: readonly SourceText[] | SourceNode, { env, identify, secrets = noSecrets, readEnvFile, inUse, included = {} }: SourceContext): ConfigResult {
  const envFiles: Record<string, readonly string[]> = {};
  const noteEnvFile: Outside['noteEnvFile'] = (file, names) => {
    envFiles[file] = names;
  };
  const open = (file: string, given: readonly SourceText[] | SourceNode): OpenFile => {
    const { root, said, sayOf: say } = openSource(file, given, (name) => (Object.hasOwn(env, name) ? env[name] : undefined), secrets, {
      noteEnvFile, ...(readEnvFile !== undefined && { readEnvFile }),
    });
    return { file, written: root.node, root: asVersionOne(root), said, sayOf: say };
  };
  const main = open(firstConfigPath(path), source);
  const files = withIncluded(main, included, open);
  secrets.learn(secretsOf(env));
  const loaded = resolveFiles(files, identify, inUse);
  secrets.spare(loaded?.services.map(({ name }) => name) ?? []);
  const said = (level: 'problem' | 'warning' | 'note') => files.flatMap((file) => file.said(level, level !== 'note' || readableBefore(file.root)));
  const problems = said('problem');
  if (problems.length > 0 || loaded === null) return { ok: false, problems };
  const { places, ...config } = loaded;
  return {
    ok: true,
    sayOf: (service, keys, message) => {
      const own = places.get(service);
      return own === undefined ? null : sayOf(own, keys, message);
    },
    config: frozen({
      path, source: main.written, included: Object.fromEntries(files.slice(1).map(({ file, written }) => [file, written])), envFiles, projectDir: dirname(main.file), ...config,
      warnings: said('warning'), notes: said('note'),
    }),
  };
}

interface OpenFile extends OpenSource {
  /** Absolute path. */
  readonly file: string;
  readonly written: SourceNode;
}

/** The file and those that it includes, and that these include, each once. */
function withIncluded(main: OpenFile, known: Readonly<Record<string, SourceNode>>, open: (file: string, given: readonly SourceText[] | SourceNode) => OpenFile): readonly OpenFile[] {
  const found = [main];
  for (const { file, root } of found) {
    for (const place of namesIn(below(root, 'include'))) {
      const path = resolve(dirname(file), place.node.kind === 'scalar' ? place.node.text : '');
      if (place.node.kind !== 'scalar' || place.node.text === '') complainExpected(place, 'the path of a file');
      else if (found.some((other) => other.file === path)) complain(place, `${path} is included already, or includes this file`);
      else {
        const given = known[path] ?? readText(path);
        if ('kind' in given) found.push(open(path, given));
        else if (given.ok) found.push(open(path, [{ file: path, text: given.text }]));
        else complain(place, given.message);
      }
    }
  }
  return found;
}

function namesIn(place: Place | null): readonly Place[] {
  if (place === null || place.node.kind === 'map') {
    if (place !== null) complainExpected(place, 'the path of a file, or a list of them');
    return [];
  }
  return place.node.kind === 'list' ? items(place) : [place];
}

/** At the first of the keys that the service has, else at the service. */
function sayOf({ file, place }: OwnPlace, keys: readonly string[], message: string): ConfigProblem {
  const written = keys.map((key) => below(place, key)).find((own) => own !== null);
  const whole = { ...place, path: [...place.path, keys[0] ?? ''], node: { ...place.node, offset: place.keyOffset } };
  return file.sayOf(written ?? whole, message);
}

interface OwnPlace {
  readonly file: OpenFile;
  readonly place: Place;
}

interface Resolved extends Pick<LoadedConfig, 'services' | 'profiles' | 'metrics' | 'project'> {
  readonly places: ReadonlyMap<string, OwnPlace>;
}

function resolveFiles(files: readonly OpenFile[], identify: Identify, inUse: SourceContext['inUse']): Resolved | null {
  const drafts = new Map<string, DraftService>();
  const owners = new Map<string, OwnPlace>();
  const resolved = files.map((file) => {
    const read = readFile(file, inUse);
    for (const [name, { draft, place }] of read?.drafts ?? []) {
      const owner = owners.get(name);
      if (owner !== undefined) complainKey(place, `service '${name}' is in ${owner.file.file} as well: a name may be used once`);
      else owners.set(name, { file, place });
      if (owner === undefined && draft !== null) drafts.set(name, draft);
    }
    return read;
  });
  for (const [index, { root }] of files.entries()) {
    for (const key of index === 0 ? [] : ['project', 'metrics']) {
      const place = below(root, key);
      if (place !== null) complainKey(place, 'belongs to the file that includes this one');
    }
  }
  const [main] = resolved;
  if (main == null || resolved.includes(null)) return null;
  return {
    services: finish(drafts, [...owners.keys()], identify),
    profiles: Object.fromEntries([...drafts].filter(([, { profiles }]) => profiles.length > 0).map(([name, { profiles }]) => [name, profiles])),
    project: main.project, metrics: main.metrics, places: owners,
  };
}

/** What one file says; null: it has no services. A draft is null when the service was refused. */
function readFile({ file, root: written }: OpenFile, inUse: SourceContext['inUse']): {
  readonly drafts: ReadonlyMap<string, { readonly draft: DraftService | null; readonly place: Place }>;
} & Pick<LoadedConfig, 'metrics' | 'project'> | null {
  const projectDir = dirname(file);
  const root = withVersion({ ...written, node: mapEntries(written.node, withoutValue) });
  if (root.node.kind !== 'map') return complainExpected(root, "a map with 'version' and 'services'") ?? null;
  complainUnknown(root, Object.keys(rootKeys));
  const values = readKeys(root, rootKeys);
  const version = below(root, 'version');
  if (version !== null && version.node.kind !== 'scalar') complainExpected(version, 'a version such as "1"');
  else if (version?.node.kind === 'scalar' && !['1', '2'].includes(version.node.text)) warn(version, `expected "1", got ${JSON.stringify(version.node.text)}; it is read as version 1`);
  const given = below(root, 'project_dir');
  if (given?.node.kind === 'scalar' && given.node.text !== projectDir) warn(given, `has no effect: the project directory is that of the file, ${basename(projectDir)}`);

  const envPlace = below(root, 'env');
  const common = envPlace === null || inUse !== undefined ? null : readEnv(envPlace, projectDir);
  const defaults = below(root, 'defaults');
  if (defaults !== null) checkDefaults(defaults);
  if (values === undefined) return null;

  const drafts = new Map([...servicePlaces(values.services)].map(([name, place]) => {
    const outside = { ...place.outside, ...(inUse !== undefined && { inUse: inUse(name) }) };
    const env = envPlace === null ? null : common ?? readEnv({ ...envPlace, outside }, projectDir);
    return [name, { draft: resolveService({ ...place, outside }, name, { projectDir, env, defaults }), place }] as const;
  }));
  return { drafts, project: values.project, metrics: values.metrics === null ? null : resolveMetrics(values.metrics, projectDir) };
}

/** As 0.33.0 does, takes `version:` and `services:` without a value for a version, and for no services. */
function withoutValue({ key, value }: SourceEntry): SourceNode {
  if (!isNothing(value)) return value;
  const { offset } = value;
  if (key === 'version') return { kind: 'scalar', offset, text: '', value: '' };
  return key === 'services' ? { kind: 'map', offset, entries: [] } : value;
}

/** Where the version alone is missing, the rest of the file is read all the same: everything that is wrong is said at once. */
function withVersion(root: Place): Place {
  const { node } = root;
  if (node.kind !== 'map' || child(node, 'version') !== null || child(node, 'services') === null) return root;
  missing(root, 'missing field `version`: write version: "1"');
  const { offset } = node;
  return { ...root, node: { ...node, entries: [{ key: 'version', keyOffset: offset, value: { kind: 'scalar', offset, text: '1', value: '1' } }, ...node.entries] } };
}

/** Whether systemg 0.33.0 knows every key of the file and of its services: a file with another key is not meant for it. */
function readableBefore(root: Place): boolean {
  const services = below(root, 'services');
  const named = services === null ? [] : entries(services).flatMap(([, place]) => entries(place).map(([key]) => key));
  return below(root, 'defaults') === null && named.every((key) => formerServiceKeys.has(key));
}

/** What can be said only when every service is known. */
function finish(drafts: ReadonlyMap<string, DraftService>, names: readonly string[], identify: Identify): readonly ServiceSpec[] {
  // A service that was refused is still no unknown one.
  const refused = names.filter((name) => !drafts.has(name)).map((name) => [name, { name, unit: null, dependsOn: [] }] as const);
  const units = new Map<string, Dependent>([...drafts, ...refused]);
  complainCycles(units);
  const hashes = identify(new Map([...drafts].map(([name, draft]) => [name, draft.identity])));
  return [...drafts.values()].map((draft) => {
    const resolved = { ...draft.unit, dependsOn: resolveDependencies(draft, units) };
    return { ...resolved, hash: hashes.get(draft.name) ?? '', definition: definitionOf(resolved) };
  });
}

/** Freezes plain data all the way down. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) frozen(inner);
  return value;
}
