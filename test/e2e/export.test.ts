import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { bin, collect } from './rig.ts';

const box = resolve(import.meta.dirname, '../fixtures/systemd-box.sh');

const yaml = `version: "1"
env: {PRICE: "100% of $$5", QUOTED: 'say "hi" \\ there'}
services:
  migrate:
    command: "sleep 0.3; echo migrated > migrated"
    oneshot: true
  web:
    command: "cat migrated > seen; printf '%s|%s' \\"$PRICE\\" \\"$QUOTED\\" >> seen; touch listening; exec sleep 1000"
    depends_on: [migrate]
    health_check: {command: "test -e listening", interval: 100ms, timeout: 10s}
    restart_policy: always
    backoff: 100ms
  after:
    exec: [sh, -c, "echo $0 $1 > words; exec sleep 1001", "100%", "$\${X} $HOME"]
    working_dir: sub
    depends_on: [web]
    stop_signal: SIGINT
  fails:
    command: "echo run >> runs; exit 3"
    restart_policy: on-failure
    backoff: 50ms
    max_restarts: 2
    restart_window: 1m
  final:
    command: "echo run >> final-runs; exit 4"
    restart_policy: always
    no_restart_exit_codes: [4]
  never: {command: "touch never-run", skip: "true"}
  beat: {command: "touch beaten", cron: "* * * * * *"}
`;

/** As `systemctl --user` sees them, in the order of the steps. */
const script = `
cd ~; PATH=${dirname(bin)}:$PATH
sysg export systemd -o ~/.config/systemd/user >/dev/null 2>&1 || exit
systemctl --user daemon-reload
systemctl --user start after web fails final never beat.timer 2>/dev/null
state() { systemctl --user show -p ActiveState --value "$1"; }
for _ in {1..300}; do [ "$(state fails)" = failed ] && [ "$(state final)" = failed ] && [ -e beaten ] && break; sleep 0.1; done
echo "migrate $(state migrate), web $(state web), after $(state after), fails $(state fails), final $(state final), never $(state never)"
echo "seen $(tr '\\n' ' ' <seen)"; echo "words $(cat sub/words)"
echo "fails ran $(wc -l <runs) times, final $(wc -l <final-runs)"; [ -e never-run ] && echo 'never ran'
[ -e beaten ] && echo 'the timer ran it'
main() { systemctl --user show -p MainPID --value "$1"; }
web=$(main web); after=$(main after); kill -9 "$web"
for _ in {1..300}; do [ "$(main web)" != 0 ] && [ "$(main web)" != "$web" ] && [ "$(state web)" = active ] && break; sleep 0.1; done
[ "$(main web)" != "$web" ] && echo 'web is back'
systemctl --user stop after web; echo "stopped: $(state after) $(state web)"
`;

test('a real systemd runs what is exported as sysg would: order, readiness, restarts, limits of restarts, timers', async ({ skip }) => {
  const base = tempDir();
  mkdirSync(join(base, 'home/sub'), { recursive: true });
  writeFileSync(join(base, 'home/sysg.yaml'), yaml);
  writeFileSync(join(base, 'script.sh'), script);
  const { NODE_EXTRA_CA_CERTS: _certificates, SYSG_INSTANCE: _token, ...env } = process.env;
  const { code, stdout, stderr } = await collect(spawn(box, [base, join(base, 'script.sh')], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  if (code === 77) skip(stdout.trim());
  expect(code, `${stdout}\n${stderr}\n${readFileSync(join(base, 'systemd.log'), 'utf8')}`).toBe(0);
  expect(stdout.trim().split('\n')).toEqual([
    'migrate active, web active, after active, fails failed, final failed, never inactive',
    'seen migrated 100% of $5|say "hi" \\ there',
    'words 100% ${X} $HOME',
    'fails ran 3 times, final 1',
    'the timer ran it',
    'web is back',
    'stopped: inactive inactive',
  ]);
});
