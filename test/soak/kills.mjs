// Kills the supervisor at random moments while services start, stop, restart and crash.
//   node test/soak/kills.mjs [--rounds 50] [--seed N] [--user UID]
// After each round: no process doubled, none orphaned, none lost; ledger and journal readable; what was stopped by hand is down.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeHome, pause, random, soon } from './home.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50' }, seed: { type: 'string' }, user: { type: 'string' } } });
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const chance = random(seed);
const home = makeHome({ user: values.user === undefined ? null : Number(values.user) });
console.log(`kills: seed ${seed}, ${rounds} rounds, ${values.user === undefined ? 'own user' : `uid ${values.user}`}`);

// Every instance holds a lock for as long as it or a child of it lives: a second one finds it taken and says so.
const program = join(home.dir, 'service.sh');
writeFileSync(program, `#!/bin/sh
exec 9>>"$HOME/$1.lock"
flock -n 9 || echo "$1 $$ $(date +%s%N)" >>"$HOME/doubled"
case $2 in
  quiet) exec sleep 100000 ;;
  talks) while :; do echo "line $((n = n + 1))"; sleep 0.05 9>&-; done ;;
  forks) sleep 100000 & wait ;;
  slow) trap 'sleep 0.3 9>&-; exit 0' TERM; while :; do sleep 0.05 9>&-; done ;;
  flaps) sleep 0.2 9>&-; exit 3 ;;
esac
`);
chmodSync(program, 0o755);
const kinds = { quiet: 'quiet', talks: 'talks', forks: 'forks', slow: 'slow', flaps: 'flaps', after: 'quiet' };
const names = Object.keys(kinds);
const yaml = (extra) => `version: "1"\nservices:\n${names.map((name) => `  ${name}: {exec: [${program}, ${name}, ${kinds[name]}], restart_policy: always, backoff: 100ms${name === 'after' ? ', depends_on: [quiet]' : ''}, env: {vars: {EXTRA: "${name === 'talks' ? extra : 0}"}}}\n`).join('')}`;
home.configure(yaml(0));

const wanted = new Map(names.map((name) => [name, 'up']));
let failures = 0;
const complain = (text) => {
  failures += 1;
  console.error(`kills: ${text} (seed ${seed})`);
};

await home.sysg('start', '--daemonize', '-c', home.config);
for (let round = 1; round <= rounds; round += 1) {
  const doing = [];
  for (let count = chance.below(4); count > 0; count -= 1) doing.push(act());
  await pause(chance.below(200));
  const supervisor = home.supervisor();
  const guardian = home.processes().get(supervisor)?.ppid;
  const both = chance.below(5) === 0;
  if (both && guardian !== undefined) kill(guardian);
  kill(supervisor);
  if (both) await soon('a new supervisor could be started', async () => (await home.sysg('start', '--daemonize', '-c', home.config)).code === 0 || (await reachable(supervisor)), 60_000);
  await soon(`round ${round} (${doing.join(', ')}): another supervisor serves`, () => reachable(supervisor), 60_000);
  // What was under way when it died may or may not have been taken in: said again, it has to hold. Starts first: a dependent wants what it depends on.
  for (const name of [...names].sort((one, other) => rank(one) - rank(other))) await home.exchange(JSON.stringify({ [wanted.get(name) === 'up' ? 'Start' : 'Stop']: { service: name } })).catch(() => '');
  await settle(round, doing);
  if (existsSync(join(home.dir, 'doubled'))) {
    complain(`round ${round} (${doing.join(', ')}): ${readFileSync(join(home.dir, 'doubled'), 'utf8')}`);
    break;
  }
  readable(round);
}
const stopped = await home.sysg('stop');
if (stopped.code !== 0) complain(`stop ended with ${stopped.code}: ${stopped.stderr}`);
const left = [...home.processes()].map(([pid, { argv }]) => `${pid} ${argv.join(' ')}`);
if (left.length > 0) complain(`left over: ${left.join('; ')}`);
if (failures === 0) await home.remove();
else console.error(`kills: left as it was: ${home.dir}`);
console.log(`kills: ${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;

function act() {
  const name = chance.pick(names);
  const verb = chance.pick(['Stop', 'Start', 'Restart', 'reload', 'crash']);
  if (verb === 'Stop' || verb === 'Start') wanted.set(name, verb === 'Stop' ? 'down' : 'up');
  if (verb === 'Restart') {
    home.tell(JSON.stringify({ Restart: { config: null, service: name } }));
    wanted.set(name, 'up');
  } else if (verb === 'reload') {
    home.configure(yaml(chance.below(1000)));
    home.tell('{"Reload":{"config":null}}');
  } else if (verb === 'crash') {
    const [pid] = [...home.processes()].find(([, { argv }]) => argv.includes(program) && argv.includes(name)) ?? [];
    if (pid !== undefined) kill(pid);
  } else {
    home.tell(JSON.stringify({ [verb]: { service: name } }));
  }
  return `${verb} ${name}`;
}

function rank(name) {
  return wanted.get(name) === 'up' ? 0 : 1;
}

async function reachable(before) {
  const pid = home.supervisor();
  return pid !== 0 && pid !== before && (await home.status().catch(() => null)) !== null;
}

/** The processes are those that the supervisor knows, and the units are what was asked of them. */
async function settle(round, doing) {
  let difference = '';
  await soon('', async () => {
    const status = await home.status().catch(() => null);
    if (status === null) return false;
    difference = compare(status.units, home.processes());
    return difference === '';
  }, 20_000).catch(() => complain(`round ${round} (${doing.join(', ')}): ${difference}`));
}

function compare(units, processes) {
  const supervisor = home.supervisor();
  const own = new Set([supervisor, processes.get(supervisor)?.ppid]);
  for (const [pid, { ppid }] of processes) if (own.has(ppid)) own.add(pid);
  const known = new Map();
  const problems = [];
  for (const unit of units) {
    if (unit.process?.pid !== undefined) known.set(unit.process.pid, unit.name);
    const { phase, wanted: wants } = unit;
    if (wants !== wanted.get(unit.name)) problems.push(`${unit.name} is wanted ${wants}, was asked to be ${wanted.get(unit.name)}`);
    const fine = wants === 'down' ? phase === 'stopped' : phase === 'running' || (unit.name === 'flaps' && phase !== 'failed') || (unit.name === 'after' && wanted.get('quiet') === 'down');
    if (!fine) problems.push(`${unit.name} is ${phase} and wanted ${wants}`);
    if (phase === 'running' && !processes.has(unit.process?.pid)) problems.push(`${unit.name} runs as pid ${unit.process?.pid}, which is none`);
  }
  for (const [pid, { session, argv }] of processes) {
    const isHelper = argv.some((word) => word.includes('daemon.js') || word === '-s') || (argv[0] === 'sleep' && argv[1] === '1');
    if (!isHelper && !known.has(session)) problems.push(`pid ${pid} (${argv.join(' ').trim()}) is of session ${session}, which no unit knows`);
  }
  return problems.join('; ');
}

function readable(round) {
  let last = 0;
  for (const line of readFileSync(join(home.state, 'journal.ndjson'), 'utf8').split('\n').slice(0, -1)) {
    try {
      const { seq } = JSON.parse(line);
      if (seq <= last) complain(`round ${round}: the journal goes from ${last} to ${seq}`);
      last = seq;
    } catch {
      complain(`round ${round}: the journal has the line ${JSON.stringify(line.slice(0, 200))}`);
    }
  }
  for (const line of readFileSync(join(home.state, 'ledger.ndjson'), 'utf8').split('\n').slice(0, -1)) {
    try {
      JSON.parse(line);
    } catch {
      complain(`round ${round}: the ledger has the line ${JSON.stringify(line.slice(0, 200))}`);
    }
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is dead already.
  }
}
