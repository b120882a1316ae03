import { join } from 'node:path';
import type { InitSystem } from '../init-system.ts';
import { crontabLines } from './crontab.ts';
import { launchdPlist } from './launchd.ts';
import type { Machine } from './machine.ts';
import { openrcScript } from './openrc.ts';
import { bootName, type BootOrder } from './order.ts';
import { systemdUnit } from './systemd.ts';

/** What makes a machine start a supervisor: a file, where most also want a link that enables it, or a line of a crontab. */
export interface BootEntry {
  readonly init: InitSystem;
  /** For sentences: `the user unit /home/ada/.config/systemd/user/sysg.service`. */
  readonly title: string;
  /** Null: the line is in the crontab of the user. */
  readonly file: string | null;
  readonly mode: number;
  readonly text: string;
  /** Null: the file alone is enough. */
  readonly link: string | null;
  /** Has the init system read what was written. */
  readonly reload: readonly string[] | null;
  /** What a person types to start it now. */
  readonly startNow: string | null;
}

export function bootEntry(init: InitSystem, order: BootOrder, machine: Machine): BootEntry {
  const name = bootName(order);
  switch (init) {
    case 'systemd': return systemdEntry(name, order, machine);
    case 'openrc': {
      const file = machine.at(`/etc/init.d/${name}`);
      return {
        init, file, mode: 0o755, text: openrcScript(order), title: `the OpenRC script ${file}`,
        link: machine.at(`/etc/runlevels/default/${name}`), reload: null, startNow: `rc-service ${name} start`,
      };
    }
    case 'cron': return { init, file: null, mode: 0, text: crontabLines(order), title: `the crontab of ${machine.user}`, link: null, reload: null, startNow: null };
    case 'launchd': {
      const file = order.system ? machine.at(`/Library/LaunchDaemons/${name}.plist`) : join(machine.home, `Library/LaunchAgents/${name}.plist`);
      return {
        init, file, mode: 0o644, text: launchdPlist(order), title: `the launchd ${order.system ? 'daemon' : 'agent'} ${file}`, link: null, reload: null,
        startNow: `launchctl bootstrap ${order.system ? 'system' : 'gui/$(id -u)'} ${file}`,
      };
    }
  }
}

function systemdEntry(name: string, order: BootOrder, machine: Machine): BootEntry {
  const { system } = order;
  const configHome = machine.env['XDG_CONFIG_HOME']?.startsWith('/') === true ? machine.env['XDG_CONFIG_HOME'] : join(machine.home, '.config');
  const directory = system ? machine.at('/etc/systemd/system') : join(configHome, 'systemd/user');
  const file = join(directory, `${name}.service`);
  const systemctl = ['systemctl', ...(system ? [] : ['--user'])];
  return {
    init: 'systemd', file, mode: 0o644, text: systemdUnit(order), title: `the ${system ? 'system' : 'user'} unit ${file}`,
    link: join(directory, `${system ? 'multi-user' : 'default'}.target.wants`, `${name}.service`),
    reload: [...systemctl, 'daemon-reload'], startNow: `${systemctl.join(' ')} start ${name}`,
  };
}
