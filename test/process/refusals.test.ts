import { buildSync } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasKoffi } from '../native/installed.ts';
import { tempDir } from '../temp-dir.ts';
import { isRoot, privileged } from './privileges-rig.ts';

const { privileges: none } = privileged({});
const sandboxed = (changes: Partial<NonNullable<typeof none.sandbox>>): typeof none =>
  privileged({ sandbox: { noNewPrivileges: false, readOnlyRoot: false, privateTmp: false, writable: [], ...changes } }).privileges;
const unenforceable: readonly (readonly [string, typeof none, string | RegExp])[] = [
  ['nothing', none, 'started'],
  ['a lower limit', privileged({ limits: { nofile: 64, nice: getPriority() + 1, cpuAffinity: [0] } }).privileges, 'started'],
  ['a user', privileged({ user: 'daemon' }).privileges, /: service 'unit' requested user\/group switching but systemg is not running as root$/],
  ['a user that is not there', privileged({ user: 'no-such-user' }).privileges, /requested user\/group switching but systemg is not running as root$/],
  ['a group', privileged({ group: 'mail' }).privileges, /requested user\/group switching/],
  ['supplementary groups', privileged({ supplementaryGroups: ['mail'] }).privileges, /requested user\/group switching/],
  ['a capability', privileged({ capabilities: ['CAP_CHOWN'] }).privileges, /: capabilities CAP_CHOWN need a supervisor that runs as root$/],
  ['a raised hard limit', privileged({ limits: { nofile: null } }).privileges, /: limits.nofile is unlimited, above the hard limit \d+ that the supervisor has/],
  ['a better priority', privileged({ limits: { nice: -10 } }).privileges, /: limits.nice would be \d+ instead of -10: \S*nice: cannot set niceness: Permission denied$/],
  ['a network namespace', privileged({ isolation: { network: true } }).privileges, /: unshare: unshare failed: Operation not permitted$/],
  ['a pid namespace', privileged({ isolation: { pid: true } }).privileges, /: unshare: unshare failed: Operation not permitted$/],
  // Some systems forbid user namespaces to ordinary users: then it is a refusal.
  ['every namespace inside a user namespace', privileged({ isolation: { user: true, network: true, mount: true, pid: true } }).privileges, /^started$|: unshare: /],
  ['a root that is read only', sandboxed({ readOnlyRoot: true }), /: sandbox.read_only_root needs a supervisor that runs as root$/],
  ['a /tmp of its own', sandboxed({ privateTmp: true }), /: sandbox.private_tmp needs a supervisor that runs as root$/],
  ['no new privileges', sandboxed({ noNewPrivileges: true }), 'started'],
  ['a control group', privileged({ limits: { cgroup: { root: '/sys/fs/cgroup/systemg', memoryMax: '64M' } } }).privileges, /: limits.cgroup: .+/],
];

test.skipIf(process.platform !== 'linux')('an ordinary user is refused what it cannot enforce, and given what it can', () => {
  const dir = tempDir();
  chmodSync(dir, 0o755);
  const program = join(dir, 'program.mjs');
  buildSync({ entryPoints: [join(import.meta.dirname, 'fixtures/tries-privileges.ts')], bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'error', external: hasKoffi ? [] : ['koffi'] });
  const asOrdinary = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--'] : [];
  const [file = '', ...words] = [...asOrdinary, process.execPath, program, JSON.stringify(unenforceable.map(([, privileges]) => privileges))];
  const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
  const outcomes: unknown = JSON.parse(execFileSync(file, words, { encoding: 'utf8', cwd: '/', env }));
  expect(outcomes).toEqual(unenforceable.map(([, , expected]) => (typeof expected === 'string' ? expected : expect.stringMatching(expected))));
});
