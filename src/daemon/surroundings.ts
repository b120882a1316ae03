import { readStatText, statFields } from '../process/proc.ts';

/** What services inherit: our environment, with what the launcher set aside put back. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  const { SYSG_NODE_EXTRA_CA_CERTS: certificates, ...environment } = process.env;
  delete process.env['SYSG_NODE_EXTRA_CA_CERTS'];
  return certificates === undefined ? environment : { ...environment, NODE_EXTRA_CA_CERTS: certificates };
}

/** The soft limit of open files that the launcher found, before Node raised it. */
export function takeSoftLimit(): number | null {
  const text = process.env['SYSG_NOFILE'];
  delete process.env['SYSG_NOFILE'];
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : null;
}

/** Whether this process has a controlling terminal: field 7 of proc_pid_stat(5). */
export function hasTerminal(): boolean {
  if (process.platform !== 'linux') return process.stdin.isTTY === true;
  return statFields(readStatText('self') ?? '')?.(7) !== '0';
}
