import { basename, dirname } from 'node:path';
import type { ServiceSpec } from '../../machines/types.ts';
import { noSecrets, secretsOf, type Secrets } from '../secrets.ts';
import type { MetricsSpec } from '../metrics-spec.ts';
import { definitionOf } from './definition.ts';
import { complainCycles, resolveDependencies, type Dependent } from './dependencies.ts';
import { readEnv } from './env.ts';
import { resolveMetrics } from './metrics.ts';
import type { SourceNode } from './document.ts';
import type { Scope } from './interpolate.ts';
import { below, complainExpected, entries, warn, type Outside, type Place } from './place.ts';
import { openSource, type ConfigProblem } from './problem.ts';
import { complainUnknown, readKeys } from './record.ts';
import { checkDefaults, rootKeys, servicePlaces } from './root.ts';
import { formerServiceKeys, resolveService, type DraftService, type Identify } from './service.ts';
import { readText } from './source-file.ts';
import { asVersionOne } from './version-two.ts';

export interface LoadedConfig {
  readonly path: string;
  /** The file as it was read, with its references. */
  readonly source: SourceNode;
  /** The names of the variables of each env file, by its path. */
  readonly envFiles: Readonly<Record<string, readonly string[]>>;
  readonly projectDir: string;
  /** Null: the file names none. */
  readonly project: string | null;
  /** In the order of the file. */
  readonly services: readonly ServiceSpec[];
  /** `null`: the file has no `metrics` block. */
  readonly metrics: MetricsSpec | null;
  readonly warnings: readonly ConfigProblem[];
  /** What systemg 0.33.0 would have read otherwise, and the like: for `validate` alone. */
  readonly notes: readonly ConfigProblem[];
}

export type ConfigResult =
  | { readonly ok: true; readonly config: LoadedConfig }
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
  /** The variables with which the process of a service runs. */
  readonly inUse?: (service: string) => Scope;
}

/** Reads, checks and resolves the file at `path` (absolute). Everything wrong with it is reported at once; throws nothing. */
export function loadConfig(path: string, { env, identify, secrets = noSecrets }: LoadContext): ConfigResult {
  const file = readText(path);
  if (!file.ok) return { ok: false, problems: [{ file: path, line: file.line ?? 0, column: file.line === null ? 0 : 1, path: '', message: file.message, excerpt: '' }] };
  return loadSource(path, file.text, { env, identify, secrets });
}

/** As `loadConfig`, of a text or of what was read from one before. */
export function loadSource(path: string, source: string | SourceNode, { env, identify, secrets = noSecrets, readEnvFile, inUse }: SourceContext): ConfigResult {
  const envFiles: Record<string, readonly string[]> = {};
  const noteEnvFile: Outside['noteEnvFile'] = (file, names) => {
    envFiles[file] = names;
  };
  const { root, said } = openSource(path, source, (name) => (Object.hasOwn(env, name) ? env[name] : undefined), secrets, {
    noteEnvFile, ...(readEnvFile !== undefined && { readEnvFile }),
  });
  secrets.learn(secretsOf(env));
  const projectDir = dirname(path);
  const loaded = resolveFile(root, projectDir, identify, inUse);
  secrets.spare(loaded?.services.map(({ name }) => name) ?? []);
  const problems = said('problem');
  if (problems.length > 0 || loaded === null) return { ok: false, problems };
  return { ok: true, config: frozen({ path, source: root.node, envFiles, projectDir, ...loaded, warnings: said('warning'), notes: said('note', readableBefore(root)) }) };
}

function resolveFile(written: Place, projectDir: string, identify: Identify, inUse: SourceContext['inUse']): Pick<LoadedConfig, 'services' | 'metrics' | 'project'> | null {
  const root = asVersionOne(written);
  if (root.node.kind !== 'map') {
    complainExpected(root, "a map with 'version' and 'services'");
    return null;
  }
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

  const drafts = new Map<string, DraftService>();
  for (const [name, place] of servicePlaces(values.services)) {
    const outside = { ...place.outside, ...(inUse !== undefined && { inUse: inUse(name) }) };
    const env = envPlace === null ? null : common ?? readEnv({ ...envPlace, outside }, projectDir);
    const draft = resolveService({ ...place, outside }, name, { projectDir, env, defaults });
    if (draft !== null) drafts.set(name, draft);
  }
  return {
    services: finish(drafts, values.services, identify),
    project: values.project,
    metrics: values.metrics === null ? null : resolveMetrics(values.metrics, projectDir),
  };
}

/** Whether systemg 0.33.0 knows every key of the file and of its services: a file with another key is not meant for it. */
function readableBefore(root: Place): boolean {
  const services = below(root, 'services');
  const named = services === null ? [] : entries(services).flatMap(([, place]) => entries(place).map(([key]) => key));
  return below(root, 'defaults') === null && named.every((key) => formerServiceKeys.has(key));
}

/** What can be said only when every service is known. */
function finish(drafts: ReadonlyMap<string, DraftService>, services: Place, identify: Identify): readonly ServiceSpec[] {
  // A service that was refused is still no unknown one.
  const refused = entries(services).filter(([name]) => !drafts.has(name)).map(([name]) => [name, { name, unit: null, dependsOn: [] }] as const);
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
