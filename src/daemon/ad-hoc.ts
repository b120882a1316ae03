import { identify } from '../compat/identity.ts';
import { isStaged, readAdHoc, removeUnit, without, writeAdHoc, type AdHocUnits } from '../config/ad-hoc-list.ts';
import { combine, readUnit, type Combined } from '../config/ad-hoc.ts';
import { plainName, stagedName, stagedPath, stageUnit } from '../config/staged-unit.ts';
import type { AdHocPort, ReadConfig } from '../control/outside.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import { failureOf, refuse, textOf } from '../errors.ts';
import { resolveProgram } from '../process/program.ts';
import type { DaemonSetting } from './setting.ts';

export interface AdHoc extends AdHocPort {
  /** The units that are listed, and that of a start with a command, from now on count. */
  begin(): void;
  combined(config: { readonly path: string; readonly specs: readonly ServiceSpec[] }): Combined;
  /** The configuration is the one in use from now on. A unit whose name one of its services has is a unit of its own no more. */
  use(config: Extract<ReadConfig, { ok: true }>): void;
}

/** The units that were started from the command line alone. `inUse`: the file of the configuration. */
export function openAdHoc({ options, parent, paths: { stateDir }, environment, log, secrets }: DaemonSetting, inUse: () => string): AdHoc {
  const onProblem = (text: string): void => log.warn('systemg::config', text);
  const outside = { context: { env: environment, identify, secrets }, onProblem };
  let listed: AdHocUnits = new Map();
  // A foreground supervisor ends with its terminal, and what it was begun with ends for good.
  let fleeting: AdHocUnits = new Map();
  let specs = new Map<string, ServiceSpec>();
  let shown: ReadonlySet<string> = new Set();
  const all = (): AdHocUnits => new Map([...listed, ...fleeting]);
  const list = (units: AdHocUnits): void => {
    listed = units;
    writeAdHoc(stateDir, units);
  };
  const remember = (now: readonly ServiceSpec[], adHoc: ReadonlySet<string>): void => {
    specs = new Map(now.map((spec) => [spec.name, spec]));
    shown = adHoc;
  };
  const attempt = (work: () => void): void => {
    const failure = failureOf('the list of units that were started from the command line cannot be written', work);
    if (failure !== null) onProblem(failure);
  };
  return {
    begin: () => {
      listed = readAdHoc(stateDir, onProblem, true);
      const { config } = options;
      if (!isStaged(stateDir, config)) return;
      if (options.foreground) fleeting = new Map([[stagedName(config), config]]);
      else if (!parent.again) attempt(() => list(new Map([...listed, [stagedName(config), config]])));
    },
    combined: (config) => combine(config, all(), outside),
    use: ({ path, specs: now, adHoc }) => {
      const taken = [...listed.keys()].filter((name) => !adHoc.has(name) && now.some((spec) => spec.name === name));
      for (const name of taken) onProblem(`${path} has a service '${name}': it takes the place of the unit that was started from the command line`);
      if (taken.length > 0) attempt(() => list(without(listed, taken)));
      remember(now, adHoc);
    },
    has: (unit) => shown.has(unit),
    add: ({ name, command, directory }) => {
      if (name !== plainName(name)) return refuse(`expected a name of lower-case letters, digits, '_' and '-', got '${name}'`);
      const unit = { name, command, cwd: directory };
      const present = specs.get(name);
      if (present !== undefined) {
        if (!shown.has(name)) return refuse(`'${name}' is a service of ${inUse()}: choose another name with --name`);
        const isSame = all().get(name) === stagedPath(stateDir, unit) && present.workingDir === directory;
        return isSame ? { ok: true, spec: present, isKnown: true }
          : refuse(`the unit '${name}' runs another command, or in another directory: ${present.command} in ${present.workingDir}; choose another name with --name, or first: sysg stop --forget ${name}`);
      }
      const program = resolveProgram(command[0] ?? '', environment['PATH'], directory);
      if (!program.ok) return refuse(program.reason);
      try {
        const path = stageUnit(stateDir, unit, [...all().values(), inUse()]);
        const read = readUnit(path, name, [...specs.values()], outside.context);
        if (!read.ok) return read;
        list(new Map([...listed, [name, path]]));
        remember([...specs.values(), read.spec], new Set([...shown, name]));
        return { ok: true, spec: read.spec, isKnown: false };
      } catch (error) {
        return refuse(`the unit could not be written: ${textOf(error)}`);
      }
    },
    forget: (unit) => failureOf(`the unit '${unit}' could not be forgotten`, () => {
      const path = all().get(unit);
      list(without(listed, [unit]));
      fleeting = without(fleeting, [unit]);
      if (path !== undefined) removeUnit(path, inUse());
      specs.delete(unit);
      shown = new Set([...shown].filter((name) => name !== unit));
    }),
  };
}
