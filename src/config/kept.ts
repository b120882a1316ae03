import type { ServiceSpec } from '../../machines/types.ts';
import { configPaths } from '../config-path.ts';
import { isSecretName, openSecrets } from '../secrets.ts';
import { parseSource, type SourceNode } from './document.ts';
import type { Scope } from './interpolate.ts';
import { overlaidAll } from './overlay.ts';
import { loadSource, type ConfigResult, type LoadContext, type LoadedConfig } from './load.ts';
import { mapEntries, valueAt } from './place.ts';
import { readText, type FileText } from './source-file.ts';

/** A configuration as it is kept at rest: what its file says, with references in place of values, and without what stands under secret names. */
export interface KeptConfig extends Pick<LoadedConfig, 'path' | 'source' | 'included' | 'envFiles'> {
  /** What proves that a process was started with the definition in use. */
  readonly units: Readonly<Record<string, Pick<ServiceSpec, 'hash' | 'definition'>>>;
}

export function keptForm({ path, source, included, envFiles, services }: Pick<LoadedConfig, 'path' | 'source' | 'included' | 'envFiles' | 'services'>): KeptConfig {
  return {
    path, source: withHoles(source), included: mapValues(included, withHoles), envFiles,
    units: Object.fromEntries(services.map(({ name, hash, definition }) => [name, { hash, definition }])),
  };
}

function mapValues<From, To>(values: Readonly<Record<string, From>>, change: (value: From, key: string) => To): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value, key)]));
}

/**
 * The configuration that was kept, with its values read again: those of a unit that runs from the environment of its process, `environmentOf`, all others from
 * the environment, the env files, and the configuration file as far as that can be read. A unit whose values are nowhere to be found does not start.
 */
export function recallConfig(kept: KeptConfig, context: LoadContext & { environmentOf(unit: string): ReadonlyMap<string, string> | null }): ConfigResult {
  const loaded = loadSource(kept.path, filled(kept.source, treeNow(kept.path)), {
    ...context, included: mapValues(kept.included, (source, path) => filled(source, treeNow(path))), readEnvFile: (path) => readOrRecall(path, kept.envFiles[path]),
    inUse: (service): Scope => {
      const environment = context.environmentOf(service);
      return (name) => environment?.get(name);
    },
  });
  if (!loaded.ok) return loaded;
  return { ...loaded, config: { ...loaded.config, services: loaded.config.services.map((spec) => ({ ...withoutHoles(spec), ...kept.units[spec.name] })) } };
}

/** As far as it can be read. */
function treeNow(path: string): SourceNode | null {
  const texts = configPaths(path).map((file) => readText(file));
  return overlaidAll(texts.flatMap((text) => (text.ok ? parseSource(text.text, []).root ?? [] : [])));
}

/** Stands for a value that is not kept. */
const HOLE = 'sysg:this-value-is-not-kept';

/** An env file that is gone still names its variables. */
function readOrRecall(path: string, names: readonly string[] | undefined): FileText {
  const found = readText(path, 'Failed to read env file');
  return found.ok || names === undefined ? found : { ok: true, text: names.map((name) => `${name}=${HOLE}\n`).join('') };
}

/** The unit as it can be supervised without some of its values: what runs goes on and can be stopped; a start is refused with the reason. */
function withoutHoles(spec: ServiceSpec): ServiceSpec {
  if (!JSON.stringify(spec).includes(HOLE)) return spec;
  const missing = Object.keys(spec.env).filter((name) => spec.env[name]?.includes(HOLE) === true);
  const reason = `the value of ${missing.join(', ') || 'a variable'} cannot be read again while the configuration is broken; mend the file and reload`;
  return {
    ...spec, env: Object.fromEntries(Object.entries(spec.env).filter(([name]) => !missing.includes(name))), skip: false, preStart: null, hooks: [],
    stopCommand: spec.stopCommand?.includes(HOLE) === true ? null : spec.stopCommand,
    launch: { kind: 'shell', script: `echo '${reason.replaceAll("'", '')}' >&2; exit 78` }, restart: { ...spec.restart, mode: 'never' },
  };
}

/** Visits each variable of each `env` block. */
function mapVariables(root: SourceNode, change: (value: SourceNode, path: readonly string[]) => SourceNode): SourceNode {
  type Visit = (node: SourceNode, path: readonly string[]) => SourceNode;
  const within = (node: SourceNode, path: readonly string[], key: string, visit: Visit): SourceNode =>
    mapEntries(node, (entry) => (entry.key === key ? visit(entry.value, [...path, key]) : entry.value));
  const all = (visit: Visit, except: readonly string[] = []): Visit => (node, path) =>
    mapEntries(node, ({ key, value }) => (except.includes(key) ? value : visit(value, [...path, key])));
  const block: Visit = (node, path) => within(all(change, ['file', 'vars'])(node, path), path, 'vars', all(change));
  const owner: Visit = (node, path) => within(node, path, 'env', block);
  return within(within(owner(root, []), [], 'defaults', owner), [], 'services', all(owner));
}

function withHoles(source: SourceNode): SourceNode {
  const { mask } = openSecrets();
  return mapVariables(source, (node, path) => {
    if (node.kind !== 'scalar' || /^\$(\w+|\{\w+\})$/.test(node.text)) return node;
    return isSecretName(path.at(-1) ?? '') || mask(node.text) !== node.text ? { ...node, text: HOLE, value: HOLE } : node;
  });
}

/** With the literals that the file still has in the same places. */
function filled(source: SourceNode, now: SourceNode | null): SourceNode {
  return mapVariables(source, (node, path) => {
    if (node.kind !== 'scalar' || node.text !== HOLE) return node;
    const found = path.reduce(valueAt, now);
    return found?.kind === 'scalar' ? found : node;
  });
}
