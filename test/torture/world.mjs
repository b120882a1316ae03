// The built program in a box, seen and touched from outside.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { boxDirectory, cover, mountDisk, mountGroups, unmountDisk } from './box.mjs';
import { watchChanges } from './changes.mjs';
import { configuration } from './units.mjs';

const dist = resolve(import.meta.dirname, '../../dist');
/** Of the program that SYSG_TEST_BIN names, such as the one in one file, there is no test build. */
export const hasTestBuild = process.env.SYSG_TEST_BIN === undefined;
const bin = process.env.SYSG_TEST_BIN ?? join(dist, 'sysg');
const actor = join(import.meta.dirname, 'actor');
/** Whether a native port moves what services write: then a killed supervisor loses nothing of it. */
export const isMoved = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch) && process.env.SYSG_NATIVE !== '0' && (!hasTestBuild || isInstalled('koffi'));
let newBoot = null;
let isTestBuild = false;
let boots = 0;

/** A fresh home. `control`: what the test build in the supervisor reads and writes. */
export function makeWorld() {
  const dir = join(boxDirectory(), 'home');
  mountDisk(dir, 48);
  const control = useTestBuild();
  const groups = mountGroups();
  newBoot ??= cover('/proc/sys/kernel/random/boot_id', join(boxDirectory(), 'boot_id'), bootId(0));
  spawnSync('mkfifo', [join(dir, 'silence')]);
  // Not on the small disk: what the services say of themselves stays true when that is full.
  const said = join(boxDirectory(), 'said');
  mkdirSync(join(said, 'counts'), { recursive: true });
  const { SYSG_TORTURE_BOX: _box, ...inherited } = process.env;
  const env = { ...inherited, HOME: dir };
  const state = join(dir, '.local/share/systemg');
  const config = join(dir, 'sysg.yaml');

  const world = {
    dir, said, control, env, state, config, groups,
    logs: join(state, 'logs'),
    configure: (edits) => writeFileSync(config, configuration(actor, edits, groups.cgroup2)),
    /** Runs the command line to its end; one that does not end in `limitMs` is killed. */
    sysg: (args, limitMs = 60_000) => new Promise((done) => {
      const child = spawn(bin, args, { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk) => (stdout += chunk));
      child.stderr.on('data', (chunk) => (stderr += chunk));
      const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
      child.on('close', (code) => {
        clearTimeout(limit);
        done({ code, stdout, stderr });
      });
    }),
    /** One request on the socket: its answer, or null when the connection ended without one. */
    ask: (request, limitMs = 60_000) => new Promise((done) => {
      const socket = connect(join(state, 'control.sock'));
      let text = '';
      const limit = setTimeout(() => socket.destroy(), limitMs);
      socket.setEncoding('utf8').on('data', (chunk) => (text += chunk)).on('error', () => undefined).on('close', () => {
        clearTimeout(limit);
        // Lines of a log come as they are.
        done(text === '' ? null : text.startsWith('{') ? JSON.parse(text) : text);
      });
      socket.write(`${typeof request === 'string' && request.startsWith('raw ') ? request.slice(4) : JSON.stringify(request)}\n`);
    }),
    /** Resolves when the supervisor has reported something, at the latest after `limitMs`. */
    change: watchChanges(join(state, 'control.sock')),
    status: async () => (await world.ask('Status', 5000))?.Status ?? null,
    supervisor: () => numberIn(join(state, 'sysg.pid')) || [...processes().values()].find(isSupervisor)?.pid || 0,
    processes,
    /** As a power cut: what was not synced is partly lost, and the machine has booted again. */
    powerCut(chance) {
      for (const { pid } of processes().values()) kill(pid, 'SIGKILL');
      boots += 1;
      newBoot(bootId(boots));
      for (const path of filesBelow(state)) {
        const { ino, size } = statSync(path);
        const kept = numberIn(join(control, 'synced', String(ino)));
        if (kept < size) truncateSync(path, kept + chance.below(size - kept + 1));
      }
    },
    /** Not where somebody has built the program anew meanwhile: that takes the mount away. */
    /** Or nothing needs one. */
    isTestBuild: () => !hasTestBuild || readFileSync(join(dist, 'daemon.js'), 'utf8').startsWith('globalThis.tortureDirectory'),
    skew: (ms) => writeFileSync(join(control, 'skew'), String(ms)),
    remove() {
      for (const { pid } of processes().values()) kill(pid, 'SIGKILL');
      world.change.end();
      unmountDisk(dir);
      for (const directory of [control, said]) rmSync(directory, { recursive: true, force: true });
    },
  };
  return world;
}

/** From now on a supervisor that is started in this box is the test build (inside.cjs). Returns the directory that it reads and writes. */
export function useTestBuild() {
  const control = join(boxDirectory(), 'control');
  mkdirSync(join(control, 'synced'), { recursive: true });
  if (isTestBuild || !hasTestBuild) return control;
  isTestBuild = true;
  const stub = readFileSync(join(dist, 'daemon.js'), 'utf8');
  const load = `globalThis.tortureDirectory=${JSON.stringify(control)};require(${JSON.stringify(join(import.meta.dirname, 'inside.cjs'))});\n`;
  cover(join(dist, 'daemon.js'), join(boxDirectory(), 'daemon.js'), load + stub);
  return control;
}

/** Living processes of the box but the shell that reaps and ourselves, by pid. */
export function processes() {
  const found = new Map();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!(pid > 1) || pid === process.pid) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const [letter, ppid, pgrp, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const isZombie = letter === 'Z' || letter === 'X';
      const environ = isZombie ? [] : readFileSync(`/proc/${name}/environ`, 'latin1').split('\0');
      const variable = (key) => environ.find((entry) => entry.startsWith(`${key}=`))?.slice(key.length + 1) ?? null;
      found.set(pid, {
        pid, ppid: Number(ppid), pgrp: Number(pgrp), session: Number(session), isZombie, isStopped: letter === 'T',
        argv: readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0').slice(0, -1),
        unit: variable('TORTURE_UNIT'), instance: variable('SYSG_INSTANCE'), slot: variable('SLOT'),
      });
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

export function isSupervisor({ argv, isZombie }) {
  return !isZombie && ((argv.some((word) => word.endsWith('/daemon.js')) && argv[0]?.endsWith('node')) || argv[1] === '--supervisor-process');
}

export function kill(pid, signal) {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // It has ended.
    return false;
  }
}

export function numberIn(path) {
  try {
    return statSync(path).isFIFO() ? 0 : Number(readFileSync(path, 'utf8')) || 0;
  } catch {
    // No such file.
    return 0;
  }
}

function isInstalled(name) {
  try {
    return createRequire(join(dist, 'daemon.js')).resolve(name) !== '';
  } catch {
    // It is not.
    return false;
  }
}

function bootId(number) {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}\n`;
}

function filesBelow(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
