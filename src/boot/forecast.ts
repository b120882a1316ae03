import { constants, existsSync } from 'node:fs';
import { capitalised, shellWord } from '../words.ts';
import { configPaths, shownConfigPath } from '../config-path.ts';
import { isAccessible } from '../files.ts';
import type { InitSystem } from '../init-system.ts';
import type { Installed } from './installation.ts';
import type { Machine } from './machine.ts';
import type { BootOrder } from './order.ts';

/** What the next boot brings. */
export interface Forecast {
  /** Services are started when the machine boots, without anybody logging in. */
  readonly starts: boolean;
  /** The one that would start them; null: nothing is installed. */
  readonly title: string | null;
  readonly config: string | null;
  /** Sentences, the most important first. */
  readonly says: readonly string[];
}

export interface ForecastInput {
  readonly installed: readonly Installed[];
  /** What runs on this machine; null: nothing that is known. */
  readonly init: InitSystem | null;
  readonly machine: Machine;
  /** What is wrong with the configuration of an order, in lines, or null. */
  readonly problemOf: (order: BootOrder) => string | null;
  /** How a command begins that reaches this supervisor: `sysg --sys `. */
  readonly command: string;
}

export function forecast(input: ForecastInput): Forecast {
  const { installed, init, command } = input;
  const meant = installed.find(({ entry }) => entry.init === init) ?? installed[0];
  if (meant === undefined) {
    return { starts: false, title: null, config: null, says: [`Nothing is installed: at the next boot no supervisor is started. To change that: ${command}boot install`] };
  }
  const { entry, order, isEdited } = meant;
  const obstacle = obstacleOf(meant, input);
  const starter = entry.init === 'cron' ? 'cron' : entry.init === 'openrc' ? 'OpenRC' : entry.init;
  const others = installed.filter((other) => other !== meant).map((other) => `${capitalised(other.entry.title)} would start it too; the second one is refused. To remove all: ${command}boot uninstall`);
  const edited = isEdited ? [`${capitalised(entry.title)} was edited, or is of another version: ${command}boot install${profileFlags(order)} would write it anew.`] : [];
  const login = obstacle === null ? loginNeeded(meant, input.machine) : null;
  const main = obstacle === null
    ? `At the next ${login === null ? 'boot' : `login of ${input.machine.user}`} ${starter} starts a supervisor with ${shownConfigPath(order.config)}${order.profiles.length === 0 ? '' : ` and the services of profile ${order.profiles.join(', ')}`} (${entry.title}).`
    : `At the next boot no supervisor comes up: ${obstacle}`;
  return { starts: obstacle === null && login === null, title: entry.title, config: order.config, says: [main, ...(login === null ? [] : [login]), ...edited, ...others] };
}

/** Why nothing would start, as the end of a sentence. */
function obstacleOf({ entry, order, isEnabled }: Installed, { init, problemOf, command }: ForecastInput): string | null {
  const again = `${command}boot install${profileFlags(order)}`;
  if (entry.init !== init) return `${entry.title} is for ${entry.init}, which does not run here. To install what does: ${again}`;
  if (!isEnabled) return `${entry.title} is not enabled: ${entry.link ?? ''} is missing. To enable it: ${again}`;
  if (!isAccessible(order.program, constants.X_OK)) return `${order.program} is not there any more, or cannot be executed. After an installation elsewhere: ${again}`;
  const gone = configPaths(order.config).find((file) => !existsSync(file));
  if (gone !== undefined) return `${gone} does not exist. With another file: ${again} -c FILE`;
  const problem = problemOf(order);
  return problem === null ? null : `the configuration would be refused.\n${problem}`;
}

/** What a user's own entry waits for, as a sentence, or null. loginctl(1) on lingering. */
function loginNeeded({ entry, order }: Installed, machine: Machine): string | null {
  if (order.system || entry.init === 'cron') return null;
  if (entry.init === 'launchd') return 'Agents of launchd start at login. To start at boot: sudo sysg --sys boot install';
  if (existsSync(machine.at(`/var/lib/systemd/linger/${machine.user}`))) return null;
  return `Units of a user start at the user's first login and end after the last one, unless the user lingers. To start at boot: sudo loginctl enable-linger ${machine.user}`;
}

function profileFlags({ profiles }: BootOrder): string {
  return profiles.map((profile) => ` --profile ${shellWord(profile)}`).join('');
}
