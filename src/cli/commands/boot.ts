import { existsSync } from 'node:fs';
import { delimiter, dirname, isAbsolute } from 'node:path';
import { bootEntry } from '../../boot/entry.ts';
import { forecast, type Forecast } from '../../boot/forecast.ts';
import { findInstalled, install, uninstall } from '../../boot/installation.ts';
import { initSystemOf, machineHere, type Machine } from '../../boot/machine.ts';
import type { BootOrder } from '../../boot/order.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { unknownProfile } from '../../config/profiles.ts';
import { refusals, textOf, type Refusal } from '../../errors.ts';
import { interpreter } from '../../interpreter.ts';
import { initSystems, type InitSystem } from '../../init-system.ts';
import type { Call } from '../call.ts';
import { chooseConfigToRead, commandStart } from '../config-choice.ts';
import { configPaths } from '../../config-path.ts';
import { loadOrRefuse } from '../load-config.ts';
import { options } from '../options.ts';
import { refuse, report } from '../report.ts';

/** Has the machine start the supervisor when it boots, says what the next boot would do, or takes that back. */
export async function boot(call: Call): Promise<number> {
  const machine = machineHere(call.env, call.paths.home);
  const init = initSystems.find((known) => known === call.flags.text(options.init)) ?? initSystemOf(machine, call.system);
  try {
    switch (call.operands[0]) {
      case 'install': return await installHere(call, machine, init);
      case 'uninstall': return await uninstallHere(call, machine);
      default: return await showForecast(call, machine, init);
    }
  } catch (error) {
    return refuse(call, refusals.runtime(textOf(error)));
  }
}

async function installHere(call: Call, machine: Machine, init: InitSystem | null): Promise<number> {
  if (init === null) return refuse(call, nothingBoots(call));
  if (init === 'openrc' && !call.system) return refuse(call, refusals.usage('OpenRC starts services of the system: expected --sys, or --init cron'));
  const chosen = chooseConfigToRead(call);
  if (!chosen.ok) return refuse(call, chosen.refusal);
  const odd = [...configPaths(chosen.path), ...call.flags.texts(options.profile), interpreter.command].find((written) => /\p{Cc}/u.test(written));
  if (odd !== undefined) return refuse(call, refusals.config(`${JSON.stringify(odd)}: control characters cannot be written into the files of init systems`));
  const loaded = loadOrRefuse(call, chosen.path);
  if (!loaded.ok) return refuse(call, loaded.refusal);
  const unknown = unknownProfile(loaded.config, call.flags.texts(options.profile));
  if (unknown !== null) return refuse(call, refusals.config(unknown));
  const order = orderOf(call, chosen.path, loaded.config);
  const entry = bootEntry(init, order, machine);
  if (call.flags.has(options.print)) {
    await call.terminal.write(entry.text);
    return 0;
  }
  const done = await install(init, order, machine, call.flags.has(options.force));
  if (!done.ok) return refuse(call, refusals.runtime(done.reason));
  if (done.complaint !== null) call.terminal.warn(`${entry.title} is read at the next boot, not now: ${done.complaint}`);
  const { says } = await lookAhead(call, machine, init);
  const now = entry.startNow === null ? [] : [`To start it now: ${entry.startNow}${existsSync(call.paths.socket) ? ` (after ${commandStart(call)}stop: a supervisor runs)` : ''}`];
  return report(call, { message: [...says, ...now].join('\n'), units: [] });
}

async function uninstallHere(call: Call, machine: Machine): Promise<number> {
  const found = await findInstalled(whose(call), machine);
  for (const one of found) {
    const done = await uninstall(one, machine);
    if (!done.ok) return refuse(call, refusals.runtime(done.reason));
    if (done.complaint !== null) call.terminal.warn(`${one.entry.title} is gone, which the init system learns at the next boot: ${done.complaint}`);
  }
  const removed = found.map(({ entry }) => `Removed from ${entry.title}: at the next boot no supervisor is started; one that runs goes on.`);
  return report(call, { message: removed.length === 0 ? 'Nothing is installed, and nothing was changed.' : removed.join('\n'), units: [] });
}

async function showForecast(call: Call, machine: Machine, init: InitSystem | null): Promise<number> {
  const found = await lookAhead(call, machine, init);
  if (call.flags.has(options.json)) call.terminal.print(JSON.stringify(found, null, 2));
  else for (const sentence of found.says) call.terminal.print(sentence);
  return found.starts ? 0 : 1;
}

async function lookAhead(call: Call, machine: Machine, init: InitSystem | null): Promise<Forecast> {
  const problemOf = ({ config, profiles }: BootOrder): string | null => {
    const loaded = loadOrRefuse(call, config);
    return loaded.ok ? unknownProfile(loaded.config, profiles) : loaded.refusal.message;
  };
  return forecast({ installed: await findInstalled(whose(call), machine), init, machine, problemOf, command: commandStart(call) });
}

function whose({ system, paths: { project } }: Call): Pick<BootOrder, 'system' | 'project'> {
  return { system, project };
}

function orderOf(call: Call, config: string, { services }: LoadedConfig): BootOrder {
  const { system, paths: { project }, logLevel, dropPrivileges } = call;
  const stopMs = services.reduce((sum, { stopTimeoutMs }) => sum + stopTimeoutMs, 0);
  return {
    program: interpreter.command, config, system, project, profiles: call.flags.texts(options.profile),
    flags: [...(logLevel === null ? [] : ['--log-level', logLevel]), ...(dropPrivileges ? ['--drop-privileges'] : [])],
    searchPath: searchPath(call), stopSeconds: Math.max(LEAST_STOP_S, MARGIN_S + Math.ceil(stopMs / 1000)),
  };
}

const LEAST_STOP_S = 300;
const MARGIN_S = 60;

/** The caller's PATH, behind the directory of the Node.js that runs here: the command looks for one on PATH. */
function searchPath({ env }: Call): string {
  const directories = [dirname(process.execPath), ...(env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter)];
  return [...new Set(directories.filter((directory) => isAbsolute(directory) && !/\p{Cc}/u.test(directory)))].join(delimiter);
}

function nothingBoots(call: Call): Refusal {
  const looked = ['systemd (/run/systemd/system)', ...(call.system ? ['OpenRC (/run/openrc)'] : []), 'the program crontab'].join(', ');
  return refusals.runtime(`nothing here starts programs when the machine boots: looked for ${looked}; with --init ${initSystems.join('|')} --print the text for another machine is printed, and a container runs sysg as its first process`);
}
