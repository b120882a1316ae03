import { basename, dirname } from 'node:path';
import type { ServiceSpec } from '../../machines/types.ts';
import { complainCycles, resolveDependencies } from './dependencies.ts';
import { definitionOf } from './definition.ts';
import { parseSource, type SourceDocument } from './document.ts';
import { readEnv, type EnvBlock } from './env.ts';
import { complainAt, distinct, formatPath, type Finding } from './finding.ts';
import { frozen } from './frozen.ts';
import { resolveMetrics, type MetricsSpec } from './metrics.ts';
import { below, complainExpected, warn, type Place } from './place.ts';
import { complainUnknown, readKeys } from './record.ts';
import { rootKeys } from './root.ts';
import { servicePlaces } from './service-names.ts';
import { defaultableKeys, resolveService, type DraftService, type Identify } from './service.ts';
import { readText } from './source-file.ts';

export type { MetricsSpec } from './metrics.ts';

/** Something wrong, or worth a warning, at a place of the file. */
export interface ConfigProblem {
  readonly file: string;
  /** 1-based; 0 means the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** `services.web.max_restarts`; empty outside any key. */
  readonly path: string;
  readonly message: string;
  /** The line of the file. */
  readonly excerpt: string;
}

export interface LoadedConfig {
  readonly path: string;
  readonly projectDir: string;
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
}

/** Reads, checks and resolves the file at `path` (absolute). Everything wrong with it is reported at once; throws nothing. */
export function loadConfig(path: string, context: LoadContext): ConfigResult {
  const file = readText(path);
  if (!file.ok) return { ok: false, problems: [{ file: path, line: file.line ?? 0, column: file.line === null ? 0 : 1, path: '', message: file.message, excerpt: '' }] };
  const findings: Finding[] = [];
  const source = parseSource(file.text, findings);
  const root: Place = {
    node: source.root ?? { kind: 'map', offset: 0, entries: [] },
    keyOffset: 0,
    path: [],
    scope: (name) => (Object.hasOwn(context.env, name) ? context.env[name] : undefined),
    findings,
  };
  const loaded = resolveFile(root, dirname(path), context.identify);
  const say = (finding: Finding): ConfigProblem => locate(finding, path, source);
  const said = distinct(findings).filter((finding) => trustworthy(finding, source));
  const problems = said.filter((finding) => finding.level === 'problem').map(say);
  if (problems.length > 0 || loaded === null) return { ok: false, problems };
  return {
    ok: true,
    config: frozen({
      path,
      projectDir: dirname(path),
      ...loaded,
      warnings: said.filter((finding) => finding.level === 'warning').map(say),
      notes: said.filter((finding) => finding.level === 'note').map(say),
    }),
  };
}

/** `<file>:<line>:<column>: <key path>: <message>` */
export function formatProblem(problem: ConfigProblem): string {
  // A file that cannot be read is named by the message itself.
  if (problem.message.endsWith(`(${problem.file})`) && problem.line === 0) return problem.message;
  const where = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  return [where, problem.path, problem.message].filter((part) => part !== '').join(': ');
}

/** All problems for a client of the socket: 0.33.0 begins with what went wrong, a missing file or the form of what is in it. */
export function wireError(problems: readonly ConfigProblem[]): string {
  const [first] = problems;
  if (first !== undefined && first.line === 0) return problems.map(({ message }) => message).join('\n');
  const aboutDependencies = first !== undefined && /^(Service '|Detected dependency cycle)/.test(first.message);
  return `${aboutDependencies ? '' : 'Invalid YAML format: '}${problems.map(formatProblem).join('\n')}`;
}

/** The problem, the line it is in, and a caret under the place. */
export function explainProblem(problem: ConfigProblem): string {
  if (problem.line === 0 || problem.excerpt === '') return formatProblem(problem);
  const skipped = problem.column > 100 ? problem.column - 40 : 0;
  const shown = problem.excerpt.slice(skipped, skipped + 120).replaceAll(/(?!\t)\p{Cc}/gu, '\ufffd');
  const indent = shown.slice(0, problem.column - 1 - skipped).replaceAll(/[^\t]/g, ' ');
  const number = String(problem.line);
  return `${formatProblem(problem)}\n  ${number} | ${shown}\n  ${' '.repeat(number.length)} | ${indent}^`;
}

function resolveFile(root: Place, projectDir: string, identify: Identify): Pick<LoadedConfig, 'services' | 'metrics'> | null {
  if (root.node.kind !== 'map') {
    complainExpected(root, "a map with 'version' and 'services'");
    return null;
  }
  complainUnknown(root, Object.keys(rootKeys));
  const values = readKeys(root, rootKeys);
  const version = below(root, 'version');
  if (version !== null && version.node.kind !== 'scalar') complainExpected(version, 'a version such as "1"');
  else if (version?.node.kind === 'scalar' && version.node.text !== '1') warn(version, `expected "1", got ${JSON.stringify(version.node.text)}; it is read as version 1`);
  const given = below(root, 'project_dir');
  if (given?.node.kind === 'scalar' && given.node.text !== projectDir) warn(given, `has no effect: the project directory is that of the file, ${basename(projectDir)}`);

  const envPlace = below(root, 'env');
  const env: EnvBlock | null = envPlace === null ? null : readEnv(envPlace, projectDir);
  const defaults = below(root, 'defaults');
  if (defaults !== null) checkDefaults(defaults);
  const metrics = below(root, 'metrics');
  const metricsSpec = metrics === null ? null : resolveMetrics(metrics, projectDir);
  if (values === undefined) return null;

  const drafts = new Map<string, DraftService>();
  for (const [name, place] of servicePlaces(values.services)) {
    const draft = resolveService(place, name, { projectDir, env, defaults });
    if (draft !== null) drafts.set(name, draft);
  }
  return { services: finish(drafts, values.services, identify), metrics: metricsSpec };
}

/** What can be said only when every service is known. */
function finish(drafts: ReadonlyMap<string, DraftService>, services: Place, identify: Identify): readonly ServiceSpec[] {
  const targets = new Map([...drafts].map(([name, draft]) => [name, draft.target]));
  // A service that was refused is still no unknown one.
  const refused = services.node.kind === 'map' ? services.node.entries.filter((entry) => !drafts.has(entry.key)) : [];
  for (const { key } of refused) targets.set(key, { name: key, hasCheck: true, oneshot: false, cron: true, endless: false, dependsOn: [] });
  complainCycles(targets);
  const hashes = identify(new Map([...drafts].map(([name, draft]) => [name, draft.identity])));
  return [...drafts].map(([name, { unit, target }]) => {
    const resolved = { ...unit, dependsOn: resolveDependencies(target, targets) };
    return { ...resolved, hash: hashes.get(name) ?? '', definition: definitionOf(resolved) };
  });
}

function checkDefaults(place: Place): void {
  if (place.node.kind !== 'map') return complainExpected(place, 'a map of service keys');
  for (const entry of place.node.entries) {
    if (entry.key === 'command' || entry.key === 'exec') complainAt(place.findings, entry.keyOffset, [...place.path, entry.key], 'belongs to a service, not to defaults');
  }
  complainUnknown(place, ['command', 'exec', ...Object.keys(defaultableKeys)]);
}

/** Only consequences of a broken syntax are left out; the errors of the syntax itself have no path. */
function trustworthy(finding: Finding, source: SourceDocument): boolean {
  if (finding.absent && source.incomplete) return false;
  return source.brokenAt === null || finding.offset <= source.brokenAt || finding.path.length === 0;
}

function locate(finding: Finding, file: string, source: SourceDocument): ConfigProblem {
  return { file, ...source.locate(finding.offset), path: formatPath(finding.path), message: finding.message };
}
