import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test, type TestContext } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { bin, collect } from './rig.ts';

const box = resolve(import.meta.dirname, '../fixtures/systemd-box.sh');
const yaml = `version: "1"
services:
  web: {command: sleep 1000, restart_policy: always}
  rests: {command: sleep 1001}
`;

/** What the scripts below say things with. */
const words = `
cd ~; PATH=${dirname(bin)}:$PATH
main() { systemctl --user show -p MainPID --value sysg; }
pid() { sysg status --json 2>/dev/null | grep -A40 "\\"name\\": \\"$1\\"" | grep -m1 '"pid"' | tr -dc 0-9; }
up() { for _ in {1..300}; do [ -n "$(pid "$1")" ] && return; sleep 0.1; done; echo "$1 never came up"; sysg status; exit 1; }
another() {
  for _ in {1..300}; do
    now=$(main)
    # What a supervisor left shows its services, too: this one has to answer by itself.
    [ "$now" != 0 ] && [ "$now" != "$1" ] && sysg inspect -s web >/dev/null 2>&1 && return
    sleep 0.1
  done
  echo "no other supervisor"; exit 1
}
same() { [ "$2" = "$3" ] && echo "$1: the same" || echo "$1: $2 became $3"; }
set -o pipefail
`;

/** One boot of the machine whose user has that home. Each step says something on a line of its own. */
async function bootOf(base: string, script: string, { skip }: TestContext): Promise<readonly string[]> {
  const path = join(base, 'script.sh');
  writeFileSync(path, words + script);
  const { NODE_EXTRA_CA_CERTS: _certificates, SYSG_INSTANCE: _token, ...env } = process.env;
  const { code, stdout, stderr } = await collect(spawn(box, [base, path], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  if (code === 77) skip(stdout.trim());
  expect(code, `${stdout}\n${stderr}\n${readFileSync(join(base, 'systemd.log'), 'utf8')}`).toBe(0);
  return stdout.trim().split('\n');
}

function makeBase(): string {
  const base = tempDir();
  mkdirSync(join(base, 'home'));
  writeFileSync(join(base, 'home/sysg.yaml'), yaml);
  return base;
}

test('a real systemd: enabled, killed, replaced, stopped, and up again at the next boot', async (context) => {
  const base = makeBase();
  const unit = join(base, 'home/.config/systemd/user/sysg.service');
  const first = await bootOf(base, `
sysg boot install >/dev/null || exit
systemctl --user is-enabled sysg
systemctl --user start sysg && up web && up rests
web=$(pid web); before=$(main)
sysg stop -s rests
kill -9 "$before"; another "$before"; up web
same 'web after a death of the supervisor' "$web" "$(pid web)"
echo "rests: $(pid rests)"
before=$(main)
sysg restart --supervisor 2>&1 | sed 's/[0-9]* → [0-9]*/PIDS/'; another "$before"
same 'web after restart --supervisor' "$web" "$(pid web)"
systemctl --user reload sysg && up web && same 'web after a reload' "$web" "$(pid web)"
systemctl --user stop sysg; echo "stopped: $(systemctl --user is-active sysg)"
kill -0 "$web" 2>/dev/null && echo "web runs on"
echo 'services: {' >sysg.yaml; systemctl --user start sysg
for _ in {1..300}; do [ "$(systemctl --user is-active sysg)" = failed ] && break; sleep 0.1; done
sleep 1.5; echo "refused: $(systemctl --user show -p ActiveState,NRestarts sysg | tr '\\n' ' ')"
`, context);
  expect(first).toEqual([
    'enabled', "Service 'rests' stopped", 'web after a death of the supervisor: the same', 'rests: ', 'Supervisor restarted (pid PIDS); 1 service goes on',
    'web after restart --supervisor: the same', 'web after a reload: the same', 'stopped: inactive', expect.stringMatching(/^refused: (?=.*ActiveState=failed)(?=.*NRestarts=0)/),
  ]);
  writeFileSync(join(base, 'home/sysg.yaml'), yaml);
  const second = await bootOf(base, `
up web; up rests; echo "active: $(systemctl --user is-active sysg)"
sysg boot uninstall; systemctl --user is-enabled sysg 2>&1 | tail -1
sysg stop; echo "active: $(systemctl --user is-active sysg)"
`, context);
  expect(second).toEqual([
    'active: active', `Removed from the user unit ${unit}: at the next boot no supervisor is started; one that runs goes on.`, expect.stringMatching(/^Failed|not-found/),
    'Supervisor shutting down', 'active: inactive',
  ]);
  expect(existsSync(unit)).toBe(false);
});
