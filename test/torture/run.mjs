// Performs a script of actions on a fresh world and looks, after each, whether everything came to rest as it should.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, lstatSync, mkdirSync, openSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, rmdirSync, statSync, statfsSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pause } from '../soak/home.mjs';
import { badFiles, couldNotSwitchBack, instances, launchesOf, strayGroups, unnotedLaunches, unrest, wrongSlot } from './checks.mjs';
import { watchLines } from './lines.mjs';
import { BUDGET, NAMES, STEADY } from './units.mjs';
import { mountReadOnly } from './box.mjs';
import { isSupervisor, kill, makeWorld, processes } from './world.mjs';

const REST_MS = 15_000;
const FOREIGN_MS = 200;
/** Somebody has taken a log away: for as long the supervisor may write to what has no name any more. */
const LOG_LOOK_MS = 1100;

/**
 * Returns what was counted, and the first failure with the number of its step, or null. `onStep` hears of each step that came to rest. `chance` decides
 * what a script leaves open: how much of what was not synced survives a power cut.
 */
export async function runScript(script, chance, onStep = () => undefined) {
  const world = makeWorld();
  const counts = { steps: 0, commands: 0, answered: 0, refused: 0, unanswered: 0, supervisors: 1, killed: 0, doubled: 0, skipped: 0 };
  const run = makeRun(world, counts, chance);
  let step = 0;
  try {
    await run.begin();
    for (const action of script) {
      step += 1;
      await run.step(action);
      counts.steps += 1;
      onStep(step, action);
    }
    await run.finish();
    return { counts: { ...counts, lost: run.lines.lost }, run, failure: null };
  } catch (error) {
    return { counts: { ...counts, lost: run.lines.lost }, run, failure: { step, text: error instanceof Failure ? error.message : error.stack, log: run.tail() } };
  } finally {
    world.remove();
  }
}

class Failure extends Error {}

/** Puts a thing of a kind to the path. Whether the path was free. */
function isPlaced(kind, target, path) {
  if (kind === 'fifo') {
    if (spawnSync('mkfifo', [path]).status === 0) return true;
    // Throws where nothing is in the way.
    lstatSync(path);
    return false;
  }
  try {
    if (kind === 'directory') mkdirSync(path);
    else if (kind === 'text') writeFileSync(path, 'not what you expect\n', { flag: 'wx' });
    else symlinkSync(target, path);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  if (kind === 'directory') mkdirSync(join(path, 'with-something-in-it'));
  return true;
}

function makeRun(world, counts, chance) {
  const lines = watchLines(world);
  const wanted = new Map(NAMES.map((name) => [name, new Set(['up'])]));
  const edits = {};
  /** Launches of `spent` when it was last ordered, those that nobody has noted, and how many orders may still be on their way. */
  let budget = { launches: 0, unnoted: 0, orders: 1 };
  let skewMs = 0;
  let waiting = null;
  /** The state directory was removed while `blue` was not in the file. */
  let isSlotForgotten = false;
  /** When a log was moved away last. */
  let movedAt = -Infinity;
  let before = new Map();
  /** What this step may do: to the lines, and to which units. */
  let excuse = null;
  let touched = new Set();
  let status = null;

  const everything = () => new Set(NAMES);
  const touch = (name) => {
    touched.add(name);
    if (name === 'talk') touched.add('after');
    if (name === 'spent') budget.orders += 1;
  };

  /** Starts a supervisor where there is none and nobody who would start it. */
  const ensure = async () => {
    let refusedStarts = 0;
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if ((await world.status()) !== null) return;
      const rows = [...processes().values()].filter(({ isZombie }) => !isZombie);
      const isGuarded = rows.some(({ argv }) => argv[1] === '-s' && argv[3] === world.state) || rows.some(({ argv }) => argv.some((word) => word.endsWith('/daemon.js')));
      if (!isGuarded) {
        refusedStarts += 1;
        if (refusedStarts > 5) throw new Failure('no supervisor could be started');
        const started = await world.sysg(['start', '--daemonize', '-c', world.config]);
        if (started.code !== 0 && started.code !== 1) throw new Failure(`start ended with ${started.code}: ${started.stderr}`);
        sound(started, 'start');
        // A start by a person starts everything, what waits for its next try included.
        touch('waits');
        for (const name of NAMES) if (edits[name] !== 'absent') wanted.set(name, new Set(['up']));
        budget.orders += 1;
      }
      await pause(50);
    }
    throw new Failure('no supervisor could be started within 100 attempts');
  };

  const settle = async (what) => {
    const end = performance.now() + REST_MS;
    let problems = [];
    while (performance.now() < end) {
      status = await world.status();
      problems = unrest(status, wanted);
      if (problems.length === 0) return;
      if (status === null) await ensure();
      // A process that is to go may take its time without a report.
      await world.change(50);
    }
    throw new Failure(`after ${what}: ${problems.join('; ')}`);
  };

  const must = (problems, what) => {
    if (problems.length > 0) throw new Failure(`after ${what}: ${problems.join('; ')}`);
  };

  /** Living talkers as the lines know them. */
  const talkers = () => new Set([...processes().values()].filter(({ unit, pid, session, isZombie }) => ['talk', 'burst'].includes(unit) && pid === session && !isZombie)
    .map(({ unit, pid }) => `${unit}.${pid}`));

  /** Streams that go where no supervisor looks, or no later one: to a pipe whose name is gone, or nowhere. */
  const nameless = () => [...talkers()].flatMap((key) => ['stdout', 'stderr'].flatMap((stream, index) => {
    const [unit, pid] = key.split('.');
    try {
      return readlinkSync(`/proc/${pid}/fd/${index + 1}`) === join(world.state, `fifo/${unit}.${stream}`) ? [] : [`${unit}_${stream}.log ${key}`];
    } catch {
      // It has ended.
      return [];
    }
  }));

  /** The lines that write(2) has taken come within a moment. */
  const checkLines = async (what) => {
    // A log that was moved is written to until the supervisor has noticed; with this excuse it is not looked at any more.
    if (excuse !== null && excuse !== 'kill') await pause(Math.max(0, movedAt + LOG_LOOK_MS - performance.now()));
    const written = lines.written();
    const living = talkers();
    if (excuse !== null) lines.excuse(excuse, living);
    must(lines.check(excuse), what);
    const end = performance.now() + 5000;
    for (;;) {
      const missing = lines.missing(written);
      if (missing.length === 0) return void lines.close(living);
      if (performance.now() > end) throw new Failure(`after ${what}: ${missing.join('; ')}`);
      await pause(20);
      must(lines.check(excuse), what);
    }
  };

  /** Where nobody knows any more which slot is in use, the traffic follows the slot that is taken. */
  const badSlot = async () => {
    const wrong = wrongSlot(world, status);
    const problems = wrong.length > 0 && await couldNotSwitchBack(world) ? [] : wrong;
    const slot = processes().get(status.units.find(({ name }) => name === 'blue')?.process?.pid)?.slot;
    if (!isSlotForgotten || slot === undefined) return problems;
    isSlotForgotten = false;
    writeFileSync(join(world.dir, 'active'), slot);
    return [];
  };

  const checkKept = async (what) => {
    const now = instances(status);
    for (const name of STEADY) {
      if (touched.has(name) || before.get(name) === undefined || !now.has(name)) continue;
      if (now.get(name) !== before.get(name)) throw new Failure(`after ${what}: ${name} was started anew, for which there is no reason`);
    }
    before = now;
    const launches = launchesOf(world, 'spent').length;
    const unnoted = unnotedLaunches(world, 'spent');
    const doubled = Math.max(0, unnoted - budget.unnoted);
    counts.doubled += doubled;
    if (launches - budget.launches > budget.orders * (1 + BUDGET) + doubled) throw new Failure(`after ${what}: spent was launched ${launches - budget.launches} times for ${budget.orders} orders`);
    budget = { launches, unnoted, orders: 0 };
    const last = waiting;
    const isAsBefore = () => last === null || waiting === null || touched.has('waits') || waiting.skewMs !== last.skewMs
      || (Math.abs(waiting.at - last.at) <= 20 && waiting.restarts === last.restarts);
    // A supervisor that is held up between its looks at two clocks says a moment that is off by as much, once.
    for (let attempt = 0; ; attempt += 1) {
      const unit = status.units.find(({ name }) => name === 'waits');
      waiting = unit?.phase === 'backoff' ? { at: Date.parse(unit.next_at), restarts: unit.restarts, skewMs } : null;
      if (isAsBefore()) break;
      if (attempt > 5) throw new Failure(`after ${what}: waits waited for ${JSON.stringify(last)} and waits for ${JSON.stringify(waiting)}`);
      status = await world.status() ?? status;
    }
  };

  const sound = ({ stdout, stderr, code }, what) => {
    const trace = /^ {4}at .*|internal error/m.exec(stdout + stderr);
    if (trace !== null || code === null) throw new Failure(`${what} ended with ${code} and says ${trace?.[0] ?? stderr}`);
  };

  /** Sends commands at once. What was answered with success is wanted from now on; what was not may be or not. */
  const send = async (commands, { line = false } = {}) => {
    const before_ = new Map(NAMES.map((name) => [name, new Set(wanted.get(name))]));
    counts.commands += commands.length;
    for (const { unit } of commands) touch(unit);
    const answers = await Promise.all(commands.map(async ({ verb, unit, signal }) => {
      if (line && verb !== 'Signal') {
        const ended = await world.sysg([verb.toLowerCase(), '-s', unit]);
        sound(ended, `${verb} ${unit}`);
        return ended.code === 0 ? 'done' : 'refused';
      }
      const answer = await world.ask(verb === 'Signal' ? { Signal: { unit, signal } } : { [verb]: { ...(verb === 'Restart' && { config: null }), service: unit } });
      if (signal === 'SIGKILL') doomed.add(Number(/\(pid ([0-9]+)\)/.exec(answer?.Message ?? '')?.[1]));
      if (answer === null) return 'unanswered';
      if (answer.Message === undefined && answer.Error === undefined) throw new Failure(`${verb} ${unit} is answered with ${JSON.stringify(answer)}`);
      return answer.Message === undefined ? 'refused' : 'done';
    }));
    for (const answer of answers) counts[answer === 'done' ? 'answered' : answer] += 1;
    for (const name of new Set(commands.map(({ unit }) => unit))) {
      const its = commands.map((command, index) => ({ ...command, answer: answers[index] })).filter(({ unit, verb }) => unit === name && verb !== 'Signal');
      if (its.length === 0 || wanted.get(name).has('absent')) continue;
      const possible = new Set(its.map(({ verb }) => (verb === 'Stop' ? 'down' : 'up')));
      // A start that failed was accepted all the same.
      if (!its.some(({ answer, verb }) => answer === 'done' || (answer === 'refused' && verb !== 'Stop'))) for (const old of before_.get(name)) possible.add(old);
      if (its.some(({ answer }) => answer !== 'done')) for (const old of before_.get(name)) possible.add(old);
      wanted.set(name, possible);
    }
    // A unit brings what it needs.
    if (commands.some(({ unit, verb }) => unit === 'after' && (verb === 'Start' || verb === 'Restart'))) {
      touch('talk');
      wanted.set('talk', new Set([...wanted.get('talk'), 'up']));
    }
    return answers;
  };

  const checkAnswer = async ({ verb, unit }, answer) => {
    if (answer !== 'done' || verb === 'Signal') return;
    const living = [...processes().values()].filter((row) => row.unit === unit && !row.isZombie);
    if (verb === 'Stop' && living.length > 0) throw new Failure(`Stop ${unit} is answered while ${living.map(({ pid, argv }) => `${pid} ${argv.join(' ')}`).join(', ')} lives`);
    if (verb !== 'Stop' && STEADY.includes(unit)) {
      const found = (await world.status())?.units.find(({ name }) => name === unit);
      if (found?.phase !== 'running' || !processes().has(found.process?.pid)) throw new Failure(`${verb} ${unit} is answered, and it is ${JSON.stringify(found)}`);
    }
  };

  const killed = (who) => {
    const supervisor = world.supervisor();
    const guardian = processes().get(supervisor)?.ppid ?? 0;
    if (who === 'all') {
      for (const { pid } of processes().values()) kill(pid, 'SIGKILL');
      lost();
    } else if (['supervisor', 'guardian', 'both'].includes(who)) {
      if (who !== 'supervisor' && guardian > 1) kill(guardian, 'SIGKILL');
      if (who !== 'guardian') {
        kill(supervisor, 'SIGKILL');
        excuse ??= 'kill';
        counts.supervisors += 1;
      }
    } else {
      const row = [...processes().values()].find(({ unit, pid, session }) => unit === who && pid === session);
      if (row !== undefined) kill(row.pid, 'SIGKILL');
      touch(who);
      doomed.add(row?.pid);
    }
    counts.killed += 1;
  };

  /** Everything died: what was in the pipes with it. The next start starts what is wanted. */
  const lost = () => {
    excuse = 'all';
    touched = everything();
    counts.supervisors += 1;
    budget.orders += 1;
  };

  const perform = {
    async commands({ commands, line, kill: who, afterMs }) {
      if (who === undefined) {
        const answers = await send(commands, { line });
        if (commands.length === 1) await checkAnswer(commands[0], answers[0]);
        return;
      }
      const sent = send(commands);
      await pause(afterMs);
      killed(who);
      await sent;
    },
    async edit({ unit, to }) {
      const had = edits[unit] ?? 0;
      edits[unit] = to;
      world.configure(edits);
      touch(unit);
      for (let attempt = 0; ; attempt += 1) {
        const answer = await world.ask({ Reload: { config: null } });
        if (answer?.Message !== undefined) break;
        // `after` needs talk: a file without it is refused as a whole.
        if (answer?.Error?.includes("unknown dependency 'talk'")) {
          edits[unit] = had;
          world.configure(edits);
          return;
        }
        if (attempt > 3) throw new Failure(`reload is answered with ${JSON.stringify(answer)}`);
        await ensure();
      }
      if (unit === 'after' && had === 'absent' && wanted.get('talk').has('down')) {
        // A unit that comes brings what it needs.
        touch('talk');
        wanted.set('talk', new Set(['down', 'up']));
      }
      if (to === 'absent') wanted.set(unit, new Set(['absent']));
      else if (had === 'absent') wanted.set(unit, new Set(['up']));
    },
    async spoil({ text }) {
      writeFileSync(world.config, text);
      const answer = await world.ask({ Reload: { config: null } });
      if (answer?.Error === undefined) throw new Failure(`reload of ${JSON.stringify(text)} is answered with ${JSON.stringify(answer)}`);
      sound(await world.sysg(['validate', '-c', world.config]), 'validate');
      world.configure(edits);
    },
    kill: async ({ who }) => killed(who),
    async power() {
      world.powerCut(chance);
      lost();
      excuse = 'power';
    },
    async freeze({ who, ms, commands }) {
      const supervisor = world.supervisor();
      const pid = who === 'supervisor' ? supervisor : who === 'guardian' ? processes().get(supervisor)?.ppid ?? 0 : status.units.find(({ name }) => name === who)?.process?.pid ?? 0;
      if (pid <= 1) return;
      kill(pid, 'SIGSTOP');
      const sent = send(commands);
      await pause(ms);
      kill(pid, 'SIGCONT');
      await sent;
    },
    async clock({ ms }) {
      skewMs = ms;
      world.skew(ms);
      await pause(50);
    },
    async disk({ commands }) {
      excuse ??= 'all';
      const path = join(world.dir, 'fills-the-disk');
      const file = openSync(path, 'w');
      try {
        for (const block = Buffer.alloc(1 << 20); statfsSync(world.dir).bavail > 0;) {
          try {
            writeSync(file, block);
          } catch {
            // Full: that is the aim.
            break;
          }
        }
      } finally {
        closeSync(file);
      }
      try {
        await send(commands);
      } finally {
        rmSync(path);
      }
      await pause(100);
      for (const { unit } of commands) retryWanted(unit);
    },
    async descriptors({ spare, commands }) {
      const supervisor = world.supervisor();
      const open = readdirSync(`/proc/${supervisor}/fd`).length;
      spawnSync('prlimit', ['--pid', String(supervisor), `--nofile=${open + spare}:`]);
      // A log that cannot be opened takes no lines.
      excuse ??= 'all';
      const sent = send(commands);
      await Promise.race([sent, pause(1500)]);
      spawnSync('prlimit', ['--pid', String(supervisor), '--nofile=4096:']);
      await sent;
      lines.loseNames(nameless());
      for (const { unit } of commands) retryWanted(unit);
    },
    async processes({ commands }) {
      const group = world.groups.pids;
      if (group === undefined) return void (counts.skipped += 1);
      const mine = `${group}/few`;
      mkdirSync(mine, { recursive: true });
      writeFileSync(`${mine}/cgroup.procs`, String(world.supervisor()));
      writeFileSync(`${mine}/pids.max`, '1');
      const sent = send(commands);
      await Promise.race([sent, pause(1000)]);
      writeFileSync(`${mine}/pids.max`, 'max');
      await sent;
      writeFileSync(`${group}/cgroup.procs`, String(world.supervisor()));
      for (const { unit } of commands) retryWanted(unit);
      try {
        rmdirSync(mine);
      } catch {
        // What was started meanwhile lives in it.
      }
    },
    async unstate() {
      putAway(world.state);
      lines.loseNames(nameless());
      excuse = 'all';
      if (edits.blue === 'absent') isSlotForgotten = true;
      await pause(LOG_LOOK_MS);
    },
    /** Something else lies in the place of an entry of the state directory, while it is written to and perhaps when the next supervisor comes. */
    async foreign({ entry, kind, who }) {
      const path = join(world.state, entry);
      const supervisor = world.supervisor();
      excuse = 'all';
      // The supervisor may make its own anew between the two.
      do putAway(path);
      while (!isPlaced(kind, kind === 'loop' ? entry : join(world.dir, 'nowhere'), path));
      const foreigner = lstatSync(path).ino;
      await send([{ verb: 'Restart', unit: 'talk' }, { verb: 'Stop', unit: 'forks' }, { verb: 'Restart', unit: 'flaps' }]);
      if (who !== undefined) killed(who);
      await pause(entry === 'logs' ? LOG_LOOK_MS : FOREIGN_MS);
      if (who === undefined && processes().get(supervisor)?.isZombie !== false) throw new Failure(`the supervisor died of ${kind} in the place of ${entry}`);
      // The supervisor may have set it aside, and uses what is there now.
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === foreigner) rmSync(path, { recursive: true });
      if (entry === 'logs' && kind === 'directory') await pause(LOG_LOOK_MS);
      await send([{ verb: 'Start', unit: 'forks' }]);
      // A supervisor that dies before it has noticed leaves no ledger.
      for (let wait = 0; entry === 'ledger.ndjson' && !existsSync(path); wait += 1) {
        if (wait > 700) throw new Failure('the ledger is not put back within seven seconds');
        await pause(10);
      }
      lines.loseNames(nameless());
      retryWanted('talk');
    },
    /** Every name there leads to a read-only disk, for a supervisor that is killed meanwhile to its successor as well. What is open is written on. */
    async readonly({ commands, who: whom }) {
      excuse = 'all';
      const supervisor = world.supervisor();
      // Where the guardian was killed nobody would start another one.
      const who = processes().get(processes().get(supervisor)?.ppid)?.argv[1] === '-s' ? whom : undefined;
      const writable = mountReadOnly(world.state);
      try {
        const sent = send(commands);
        if (who !== undefined) killed(who);
        const isBack = () => [...processes().values()].some((row) => isSupervisor(row) && row.pid !== supervisor);
        for (const end = performance.now() + REST_MS; who !== undefined && !isBack(); await pause(20)) {
          if (performance.now() > end) throw new Failure('no supervisor came back to a read-only disk');
        }
        await pause(LOG_LOOK_MS);
        if (who !== undefined && !isBack()) throw new Failure('the supervisor that came back to a read-only disk has ended');
        writable();
        await sent;
      } finally {
        writable();
      }
      for (let wait = 0; (await world.status()) === null; wait += 1) {
        if (wait > 100) throw new Failure('the supervisor has not made its socket within ten seconds');
        await pause(100);
      }
      lines.loseNames(nameless());
      for (const { unit } of commands) retryWanted(unit);
    },
    async movelogs({ file, signal }) {
      // What is there is looked at first, since archives go with it: nothing is to be put away in between.
      const supervisor = world.supervisor();
      kill(supervisor, 'SIGSTOP');
      while (processes().get(supervisor)?.isStopped === false) await pause(1);
      try {
        must(lines.check(excuse), 'a look before logs are moved');
        lines.move(file);
        movedAt = performance.now();
      } finally {
        kill(supervisor, 'SIGCONT');
      }
      if (signal) kill(supervisor, 'SIGUSR1');
      await pause(20);
    },
    async handover({ commands }) {
      const supervisor = world.supervisor();
      const [ended] = await Promise.all([world.sysg(['restart', '--supervisor']), send(commands)]);
      sound(ended, 'restart --supervisor');
      if (ended.code === 0 && world.supervisor() === supervisor) throw new Failure(`restart --supervisor ended with 0, and ${supervisor} is the supervisor still`);
      if (ended.code === 0) counts.supervisors += 1;
    },
    async shutdown() {
      const ended = await world.sysg(['stop']);
      sound(ended, 'stop');
      if (ended.code !== 0) throw new Failure(`stop ended with ${ended.code}: ${ended.stderr}`);
      const left = [...processes().values()].filter(({ unit, isZombie }) => unit !== null && !isZombie);
      if (left.length > 0) throw new Failure(`stop left ${left.map(({ pid, argv }) => `${pid} ${argv.join(' ')}`).join(', ')}`);
      must(strayGroups(world, false), 'a stop of everything');
      lost();
    },
    /** Dies before the effect at one place, while that is done which leads there. */
    async failpoint({ place, act }) {
      rmSync(join(world.control, 'visited'), { force: true });
      writeFileSync(join(world.control, 'failpoint'), place);
      const isVisited = () => existsSync(join(world.control, 'visited'));
      const doing = ACTS[act](isVisited);
      for (let wait = 0; !isVisited() && wait < 400; wait += 1) await Promise.race([doing, pause(10)]).then(() => pause(5));
      rmSync(join(world.control, 'failpoint'), { force: true });
      await doing;
      if (!isVisited()) return void unvisited.push(place);
      excuse ??= 'kill';
      counts.supervisors += 1;
      visited.push(place);
    },
    /** Which places each act passes. */
    async trace() {
      for (const act of Object.keys(ACTS)) {
        writeFileSync(join(world.control, 'trace'), '');
        await ACTS[act](() => false);
        await ensure();
        await pause(300);
        places.push(...[...new Set(readFileSync(join(world.control, 'trace'), 'utf8').split('\n').filter((line) => line !== ''))].sort().map((place) => ({ act, place })));
        rmSync(join(world.control, 'trace'));
      }
    },
    async look({ args }) {
      const ended = await world.sysg(args[0] === 'wait' ? [...args, '--timeout', '100ms'] : args, 30_000);
      sound(ended, args.join(' '));
      if (ended.stdout + ended.stderr === '') throw new Failure(`${args.join(' ')} says nothing`);
    },
    async ask({ requests }) {
      for (const answer of await Promise.all(requests.map((request) => world.ask(request, 20_000)))) {
        if (answer === null) throw new Failure(`one of ${JSON.stringify(requests).slice(0, 300)} is not answered`);
      }
    },
  };

  /** After the rename the supervisor finds nothing there any more; what it was about to make at that moment may still come. */
  const putAway = (path) => {
    const away = join(world.dir, 'put-away');
    // A link that leads nowhere is something, too.
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) renameSync(path, away);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return rmSync(away, { recursive: true, force: true });
      } catch (error) {
        if (error.code !== 'ENOTEMPTY' || attempt === 10) throw error;
      }
    }
  };

  /** A start that the machine was too small for may have failed for good: the next one finds room. */
  const retryWanted = (name) => {
    if (!wanted.get(name).has('absent')) retries.add(name);
  };
  const retries = new Set();
  const [visited, unvisited, places] = [[], [], []];
  const ACTS = {
    launch: () => send([{ verb: 'Restart', unit: 'talk' }, { verb: 'Stop', unit: 'leaves' }]).then(() => send([{ verb: 'Start', unit: 'leaves' }, { verb: 'Restart', unit: 'once' }])),
    rollout: () => send([{ verb: 'Restart', unit: 'roll' }, { verb: 'Restart', unit: 'blue' }]),
    rotation: async (isOver) => {
      for (let wait = 0; wait < 300 && !isOver(); wait += 1) await pause(10);
    },
    compaction: async (isOver) => {
      const size = () => statSync(join(world.state, 'ledger.ndjson'), { throwIfNoEntry: false })?.size ?? 0;
      for (let [round, last] = [0, 0]; round < 200 && !isOver() && size() >= last; round += 1) {
        last = size();
        await send([{ verb: 'Restart', unit: 'after' }, { verb: 'Restart', unit: 'waits' }, { verb: 'Restart', unit: 'once' }]);
      }
    },
    handover: async () => void (await world.sysg(['restart', '--supervisor'])),
  };
  /** Were sent SIGKILL, which takes a moment. */
  const doomed = new Set();
  const tornByPowerCuts = new Set();

  return {
    lines, visited, unvisited, places,
    async begin() {
      world.configure(edits);
      await ensure();
      touched = everything();
      await settle('the start');
      before = instances(status);
      budget = { launches: launchesOf(world, 'spent').length, unnoted: 0, orders: 0 };
    },
    async step(action) {
      const what = JSON.stringify(action);
      if (!world.isTestBuild()) throw new Failure('dist was built anew during the run, which took the test build away: run it again');
      excuse = null;
      touched = new Set();
      await perform[action.do](action);
      const alive = () => [...doomed].filter((pid) => processes().get(pid)?.isZombie === false);
      for (const end = performance.now() + REST_MS; alive().length > 0; await pause(1)) {
        if (performance.now() > end) throw new Failure(`after ${what}: SIGKILL was sent to pid ${alive().join(' and ')}, which lives`);
      }
      doomed.clear();
      await ensure();
      for (const name of retries) await send([{ verb: wanted.get(name).has('up') ? 'Start' : 'Stop', unit: name }]);
      retries.clear();
      await settle(what);
      for (const unit of status.units) if (wanted.has(unit.name)) wanted.set(unit.name, new Set([unit.wanted]));
      await checkKept(what);
      await checkLines(what);
      must([...badFiles(world, tornByPowerCuts, action.do === 'power'), ...await badSlot(), ...strayGroups(world, true)], what);
    },
    async finish() {
      const runs = launchesOfTick();
      if (wanted.get('tick').has('up')) {
        for (let wait = 0; launchesOfTick() === runs; wait += 1) {
          if (wait > 100) throw new Failure('tick has not run within 5 s');
          await pause(50);
        }
      }
      touched = everything();
      await perform.shutdown();
    },
    tail: () => spawnSync('sh', ['-c', 'grep -av "flaps\\|tick" "$1" | tail -n 30', 'sh', join(world.logs, 'supervisor.log')], { encoding: 'utf8' }).stdout,
  };

  function launchesOfTick() {
    return spawnSync('wc', ['-l', join(world.dir, 'runs')], { encoding: 'utf8' }).stdout;
  }
}
