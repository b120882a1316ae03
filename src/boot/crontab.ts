import { shellWord } from '../words.ts';
import { bootName, commandOf, startFlags, markOf, orderIn, type BootOrder } from './order.ts';

/** The most that cron takes for a command, of which it says nothing: MAX_COMMAND in its source. */
export const longestCommand = 998;

/** A comment by which it is known again, and a line of crontab(5), which ends at a percent sign that is not escaped. */
export function crontabLines(order: BootOrder): string {
  const command = ['env', `PATH=${order.searchPath}`, ...commandOf(order, 'start', '--daemonize', ...startFlags(order))].map(shellWord).join(' ');
  return `# ${markOf(order)}\n${REBOOT}${command.replaceAll('%', String.raw`\%`)}\n`;
}

/** The lines of that name in a crontab, or null. */
export function linesIn(crontab: string, name: string): string | null {
  const ours = parted(crontab, name).ours.join('\n');
  return ours === '' ? null : `${ours}\n`;
}

/** The crontab with `lines` in the place of those of that name. */
export function withLines(crontab: string, name: string, lines: string): string {
  const others = parted(crontab, name).others.join('\n');
  return `${others === '' || others.endsWith('\n') ? others : `${others}\n`}${lines}`;
}

const REBOOT = '@reboot ';

function parted(crontab: string, name: string): { readonly ours: readonly string[]; readonly others: readonly string[] } {
  const [ours, others]: [string[], string[]] = [[], []];
  let isMarked = false;
  for (const line of crontab.split('\n')) {
    const order = line.startsWith('#') ? orderIn(line) : null;
    const isMark = order !== null && bootName(order) === name;
    (isMark || (isMarked && line.startsWith(REBOOT)) ? ours : others).push(line);
    isMarked = isMark;
  }
  return { ours, others };
}
