import { existsSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { identify } from '../compat/identity.ts';
import { discoverConfig } from '../config/discover.ts';
import { keptForm, recallConfig } from '../config/kept.ts';
import { configPaths, firstConfigPath, joinConfigPaths } from '../config-path.ts';
import { chosenServices, unknownProfile, withNeeded } from '../config/profiles.ts';
import { loadConfig, type ConfigResult, type LoadedConfig } from '../config/load.ts';
import { formatProblem, wireError } from '../config/problem.ts';
import type { ReadConfig } from '../control/outside.ts';
import { loadTrusted } from '../config/trust.ts';
import { environmentOf } from '../process/environment.ts';
import { isAlive } from '../process/identity.ts';
import type { Ledger } from '../state/ledger.ts';
import { noteConfig } from '../state/notes.ts';
import { openAdHoc } from './ad-hoc.ts';
import { areUnchanged, notingReads, type Reads } from '../config/source-file.ts';
import { keepConfig, lastConfig } from './last-config.ts';
import type { DaemonSetting } from './setting.ts';

type Config = Extract<ReadConfig, { ok: true }>;

/** The configuration in use, and those that are to be. */
export type Configuration = ReturnType<typeof openConfiguration>;

export function openConfiguration(setting: DaemonSetting) {
  const { options, parent, paths, environment, files, log, secrets } = setting;
  // The guardian knows the file of the first start only.
  const last = parent.again ? lastConfig(paths.stateDir) : null;
  let inUse = last?.path ?? options.config;
  let hinted: string | null = null;
  /** The file in use; when that is gone, as a release that names it otherwise has taken its place, what a start would find in its directory. */
  const remembered = (): string => {
    const first = firstConfigPath(inUse);
    const found = existsSync(first) || first !== inUse ? null : discoverConfig({ cwd: dirname(first), configDir: paths.configDir, explicit: null });
    if (found === null || !('path' in found)) return inUse;
    log.warn('sysg::config', `${inUse} is gone; ${found.path} is read instead`);
    return found.path;
  };
  const beside = openAdHoc(setting, () => inUse);
  const names = new Set(options.services);
  const inForce = (config: LoadedConfig): Config => (
    { ok: true, path: config.path, ...beside.combined({ path: config.path, specs: chosenServices(config, { profiles: options.profiles, names }) }), metrics: config.metrics, kept: keptForm(config) });
  /** A thousand services take a tenth of a second to read, and most commands meet the files as they were. */
  let lastRead: { readonly path: string; readonly loaded: ConfigResult; readonly reads: Reads } | null = null;
  const loadOrRemember = (path: string): ConfigResult => {
    if (lastRead?.path === path && areUnchanged(lastRead.reads)) return lastRead.loaded;
    const { result, reads } = notingReads(() => loadConfig(path, { env: environment, identify, secrets }));
    lastRead = result.ok ? { path, loaded: result, reads } : null;
    return result;
  };
  const load = (asked: string | null): ConfigResult => {
    const path = asked === null ? remembered() : joinConfigPaths(configPaths(asked).map((file) => (isAbsolute(file) ? file : resolve(dirname(firstConfigPath(inUse)), file))));
    return options.system ? loadTrusted(path, () => loadOrRemember(path)) : loadOrRemember(path);
  };
  const read = (asked: string | null): ReadConfig => {
    const loaded = load(asked);
    if (!loaded.ok) return { ok: false, problems: loaded.problems.map(formatProblem).join('\n'), error: wireError(loaded.problems) };
    for (const warning of loaded.config.warnings) log.warn('sysg::config', formatProblem(warning));
    return inForce(loaded.config);
  };
  return {
    /** Null: the file in use, read again. Relative paths are taken against its directory. */
    read,
    /** Units beside it. */
    adHoc: beside,
    /** That of the start. A supervisor that is started again goes on with what was in use, even where the file is broken now. */
    first: ({ entries }: Pick<Ledger, 'entries'>): ReadConfig => {
      beside.begin();
      if (parent.again) for (const name of entries.keys()) names.add(name);
      // A file that a person names and that is not there is refused: another one in its place would be another application.
      const asked = parent.again ? null : inUse;
      const loaded = load(asked);
      const unknown = loaded.ok ? unknownProfile(loaded.config, options.profiles) : null;
      if (unknown !== null && !parent.again) return { ok: false, problems: unknown, error: unknown };
      const found = read(asked);
      if (found.ok || last === null) return found;
      // Services run without a supervisor until this one is there: a file that is being edited must not keep it from starting.
      const recalled = recallConfig(last, { env: environment, identify, secrets, environmentOf: (unit) => environmentInUse(entries, unit) });
      if (!recalled.ok) return found;
      log.error('sysg::config', `${found.problems}\nThe configuration is broken; the one that was in use goes on until a reload`);
      return inForce(recalled.config);
    },
    /** A service that has profiles, none of which was chosen, and what it needs: from now on one of this supervisor's. Null: there is none of that name. */
    summon: (service: string): Config | null => {
      const loaded = load(null);
      if (!loaded.ok || !Object.hasOwn(loaded.config.profiles, service)) return null;
      names.add(service);
      const config = inForce(loaded.config);
      const needed = withNeeded(config.specs, [service]);
      return { ...config, specs: config.specs.filter(({ name }) => needed.has(name)) };
    },
    /** From now on it is the one in use, also to the ledger and in the files. */
    use: (config: Config, ledger: Pick<Ledger, 'note'>): void => {
      noteConfig(ledger, config.path);
      beside.use(config);
      inUse = config.path;
      keepConfig(paths.stateDir, config.kept, files);
      if (config.path !== hinted) files.put(paths.configHint, config.path);
      hinted = config.path;
    },
  };
}

/** Of the process that the ledger records for the unit, while that process lives. */
export function environmentInUse(entries: Ledger['entries'], unit: string): ReadonlyMap<string, string> | null {
  const identity = entries.get(unit)?.record.process?.identity ?? null;
  return identity !== null && isAlive(identity) ? environmentOf(identity.pid) : null;
}
