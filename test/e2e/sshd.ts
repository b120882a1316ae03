import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from '../free-port.ts';
import { tempDir } from '../temp-dir.ts';
import { soon } from './rig.ts';

export interface SshServer {
  /** In front of PATH: an `ssh` that knows `box`, a machine whose home is the one that was given. */
  readonly bin: string;
}

/** A real sshd of the test's own, for one user and one key; a sentence where there can be none. */
export async function startSshd(home: string): Promise<SshServer | string> {
  const sshd = findSshd();
  if (sshd === null) return 'no sshd: neither installed nor to be had with apt-get download openssh-server';
  const dir = tempDir();
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  for (const name of ['host', 'key']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, name)]);
  const port = await freePort();
  writeFileSync(join(dir, 'sshd_config'), [
    `Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${dir}/host`, `AuthorizedKeysFile ${dir}/key.pub`, `PidFile ${dir}/pid`, 'StrictModes no', 'PermitRootLogin yes',
    'PasswordAuthentication no', 'AllowStreamLocalForwarding yes', `SetEnv HOME=${home}`, '',
  ].join('\n'));
  writeFileSync(join(dir, 'ssh_config'), [
    'Host box', '  HostName 127.0.0.1', `  Port ${port}`, `  User ${userInfo().username}`, `  IdentityFile ${dir}/key`, '  IdentitiesOnly yes', '  StrictHostKeyChecking no',
    '  UserKnownHostsFile /dev/null', '  LogLevel ERROR', '',
  ].join('\n'));
  writeFileSync(join(bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${dir}/ssh_config "$@"\n`);
  chmodSync(join(bin, 'ssh'), 0o755);
  const config = join(dir, 'sshd_config');
  const libraries = readdirSync(join(sshd, '../../lib')).map((name) => join(sshd, '../../lib', name)).filter((path) => existsSync(join(path, 'libwrap.so.0')));
  const env = { ...process.env, ...(sshd.startsWith(unpacked) && { LD_LIBRARY_PATH: libraries.join(delimiter) }) };
  // As root sshd wants a user and a directory of its own, which the machine need not have: they are there in a namespace of mounts.
  writeFileSync(join(dir, 'passwd'), `${readFileSync('/etc/passwd', 'utf8').trimEnd()}\nsshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`);
  const prepare = `mount --bind ${dir}/passwd /etc/passwd && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec ${sshd} -D -e -f ${config}`;
  const [program, words] = process.getuid?.() === 0 ? ['unshare', ['-m', 'sh', '-c', prepare]] : [sshd, ['-D', '-e', '-f', config]];
  const server = spawn(program, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  onTestFinished(() => void server.kill('SIGTERM'));
  await soon('sshd listens, or has ended', async () => server.exitCode !== null || isListening(port));
  return server.exitCode === null ? { bin } : `sshd does not run here: ${said.trim()}`;
}

/** Later runs find it here. */
const unpacked = resolve(import.meta.dirname, '../../node_modules/.cache/sshd');

/** Installed, or unpacked from the package of the system. */
function findSshd(): string | null {
  const known = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', join(unpacked, 'usr/sbin')].map((directory) => join(directory, 'sshd')).find((path) => existsSync(path));
  if (known !== undefined) return known;
  mkdirSync(unpacked, { recursive: true });
  if (spawnSync('apt-get', ['download', 'openssh-server', 'libwrap0'], { cwd: unpacked, timeout: 30_000 }).status !== 0) return null;
  for (const deb of readdirSync(unpacked).filter((name) => name.endsWith('.deb'))) spawnSync('dpkg', ['-x', deb, '.'], { cwd: unpacked });
  const sshd = join(unpacked, 'usr/sbin/sshd');
  return existsSync(sshd) ? sshd : null;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });
}
