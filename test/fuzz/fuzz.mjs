// Feeds the built program what no sane client, editor or disk would.
//   npm run fuzz [-- --rounds 60] [--seed N]
// A round is one of: bytes on the socket, a configuration, damaged state files under a killed supervisor. Prints its seed; the same seed does the same again.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeHome, pause, random, soon } from '../soak/home.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '60' }, seed: { type: 'string' } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const chance = random(seed);
const home = makeHome();
const sound = 'version: "1"\nservices:\n  web: {command: "sleep 100000", restart_policy: always, backoff: 100ms}\n  down: {command: "sleep 100000"}\n';
let failures = 0;
let ledgerLost = false;
console.log(`fuzz: seed ${seed}, ${values.rounds} rounds`);

home.configure(sound);
await home.sysg('start', '--daemonize', '-c', home.config);
await home.exchange('{"Stop":{"service":"down"}}');
let web = await webPid();
for (let round = 1; round <= Number(values.rounds); round += 1) {
  const [what, attack] = chance.pick([['socket', socketBytes], ['socket', socketBytes], ['configuration', configuration], ['state files', stateFiles]]);
  try {
    await attack();
    await sane(what);
  } catch (error) {
    failures += 1;
    console.error(`fuzz: round ${round}, ${what}: ${error.message} (seed ${seed})`);
    break;
  }
}
if (failures === 0) await home.remove();
else console.error(`fuzz: left as it was: ${home.dir}`);
console.log(`fuzz: ${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;

/** It serves, with the same service process, what was down is down, and no stack trace was written. */
async function sane(what) {
  const status = await soon(`after ${what}: it answers`, () => home.status().catch(() => null), 60_000);
  const units = new Map(status.units.map((unit) => [unit.name, unit]));
  if (what !== 'state files' && units.get('web')?.process?.pid !== web) throw new Error(`web was pid ${web} and is ${JSON.stringify(units.get('web'))}`);
  if (what !== 'state files' && units.get('down')?.phase !== 'stopped') throw new Error(`down is ${JSON.stringify(units.get('down'))}`);
  web = await webPid();
  // A record that is lost leaves a process that nobody knows: it was said that the ledger is damaged, or it was cut off.
  if (ledgerLost) for (const pid of strangers(status)) process.kill(pid, 'SIGKILL');
  ledgerLost = false;
  const copies = [...home.processes().values()].filter(({ argv }) => argv[0] === 'sleep' && argv[1] === '100000').length;
  const expected = status.units.filter((unit) => unit.process !== undefined).length;
  if (copies !== expected) throw new Error(`${copies} service processes live, the supervisor knows ${expected}`);
  const log = readFileSync(join(home.state, 'logs/supervisor.log'), 'utf8');
  const trace = /^.*(internal error|Supervisor exited with error|^ {4}at ).*$/m.exec(log);
  if (trace !== null) throw new Error(`the log says: ${trace[0]}`);
}

function strangers({ units }) {
  const known = new Set(units.map((unit) => unit.process?.pid));
  return [...home.processes()].filter(([pid, { argv }]) => argv[0] === 'sleep' && argv[1] === '100000' && !known.has(pid)).map(([pid]) => pid);
}

async function webPid() {
  return soon('web runs', async () => {
    const unit = (await home.status().catch(() => null))?.units.find(({ name }) => name === 'web');
    return unit?.phase === 'running' ? unit.process?.pid : null;
  }, 60_000);
}

async function socketBytes() {
  const seeds = ['"Status"', '{"Inspect":{"unit":"web","samples":5}}', '{"Logs":{"service":"web","lines":5,"kind":"stdout","follow":false}}', '{"History":{"unit":null,"limit":5,"since":null}}', '{"Plan":{"config":null}}', '{"Signal":{"unit":"nope","signal":"SIGHUP"}}', '{"Spawn":{"parent_pid":1,"name":"x","command":["true"],"ttl":null,"log_level":null}}'];
  const clients = Array.from({ length: 1 + chance.below(20) }, () => {
    const bytes = Buffer.concat([mutate(Buffer.from(chance.pick(seeds))), Buffer.from(chance.pick(['\n', '', '\r\n', '\n\n', '\0\n']))]);
    // What still is a command that changes something is no fuzz.
    return /Shutdown|Stop|Restart|Start|Reload/i.test(bytes.toString('latin1')) ? null : converse(chance.below(30) === 0 ? Buffer.alloc(1_200_000, bytes) : bytes, chance.below(3));
  });
  await Promise.all(clients);
}

/** `manner`: 0 waits for the answer, 1 half-closes, 2 leaves at once. */
function converse(bytes, manner) {
  return new Promise((done) => {
    const socket = connect(join(home.state, 'control.sock'));
    let text = '';
    const limit = setTimeout(() => socket.destroy(), 10_000);
    socket.on('data', (chunk) => (text += chunk)).on('error', () => undefined).on('close', () => {
      clearTimeout(limit);
      done(text);
    });
    socket.write(bytes, () => {
      if (manner === 2) socket.destroy();
      if (manner === 1) socket.end();
    });
  });
}

async function configuration() {
  writeFileSync(home.config, mutate(Buffer.from(sound)));
  const validated = await home.sysg('validate', '-c', home.config);
  const planned = await home.exchange('{"Plan":{"config":null}}');
  if (![0, 1].includes(validated.code) || /^ {4}at /m.test(validated.stderr + validated.stdout)) {
    throw new Error(`validate ended with ${validated.code}: ${validated.stderr} for ${JSON.stringify(readFileSync(home.config, 'latin1'))}`);
  }
  if ((validated.code === 0) !== planned.startsWith('{"Plan"')) throw new Error(`validate says ${validated.code}, plan ${planned} for ${JSON.stringify(readFileSync(home.config, 'latin1'))}`);
  home.configure(sound);
  await home.exchange('{"Reload":{"config":null}}');
}

async function stateFiles() {
  const supervisor = home.supervisor();
  process.kill(supervisor, 'SIGSTOP');
  const names = readdirSync(home.state).filter((name) => /\.(ndjson|xml|reserve)$|^(config_hint|sysg\.pid)$/.test(name));
  for (let count = 1 + chance.below(3); count > 0; count -= 1) {
    const path = join(home.state, chance.pick(names));
    if (!existsSync(path)) continue;
    const bytes = readFileSync(path);
    ledgerLost ||= path.endsWith('ledger.ndjson');
    writeFileSync(path, chance.below(4) === 0 ? bytes.subarray(0, chance.below(bytes.length + 1)) : mutate(bytes));
  }
  process.kill(supervisor, 'SIGKILL');
  await soon('another supervisor serves', async () => ((await home.status().catch(() => null)) !== null && home.supervisor() !== supervisor) || null, 60_000);
  await pause(300);
  await home.exchange('{"Start":{"service":"web"}}');
  await home.exchange('{"Stop":{"service":"down"}}');
}

function mutate(bytes) {
  let result = Buffer.from(bytes);
  for (let count = 1 + chance.below(4); count > 0; count -= 1) {
    const at = chance.below(result.length + 1);
    const length = chance.below(8);
    const insert = chance.pick([
      Buffer.from(Array.from({ length }, () => chance.below(256))), Buffer.from(chance.pick(['{', '}', '[', ']', ':', '"', ',', '\\u0000', 'null', '-1', '1e999', '\n', '  ', '&a ', '*a', '<x>', '</services>'])),
      result.subarray(at, at + length), Buffer.alloc(0),
    ]);
    result = Buffer.concat([result.subarray(0, at), insert, result.subarray(chance.below(2) === 0 ? at : Math.min(result.length, at + length))]);
  }
  return result;
}
