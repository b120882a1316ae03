// A home of its own for the built program, seen from outside.
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** SYSG_TEST_BIN: another one, such as the program in one file. */
export const bin = process.env.SYSG_TEST_BIN ?? resolve(import.meta.dirname, '../../dist/sysg');

/** `user`: as which uid and gid commands run; needs root. */
export function makeHome({ user = null } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'sysg-soak-'));
  if (user !== null) chownSync(dir, user, user);
  chmodSync(dir, 0o700);
  const { NODE_EXTRA_CA_CERTS: _certificates, SYSG_INSTANCE: _token, ...inherited } = process.env;
  const env = { ...inherited, HOME: dir, SYSG_SOAK_HOME: dir };
  const state = join(dir, '.local/share/systemg');
  const config = join(dir, 'sysg.yaml');

  const sysg = (...args) => new Promise((done) => {
    const child = spawn(bin, args, { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'], ...(user !== null && { uid: user, gid: user }) });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
  const exchange = (line) => new Promise((answered, failed) => {
    const socket = connect(join(state, 'control.sock'));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => (text += chunk)).on('error', failed).on('close', () => answered(text));
    socket.write(`${line}\n`);
  });
  return {
    dir, state, config, env, sysg, exchange,
    configure: (text) => writeFileSync(config, text),
    /** Sends and does not wait; what becomes of it is what the test is about. */
    tell: (line) => void exchange(line).catch(() => undefined),
    status: async () => {
      const { Status } = JSON.parse((await exchange('"Status"')) || '{}');
      return Status ?? null;
    },
    supervisor: () => {
      try {
        return Number(readFileSync(join(state, 'sysg.pid'), 'utf8'));
      } catch {
        // Between two supervisors.
        return 0;
      }
    },
    /** Living processes that carry this home's mark: by pid, with parent, state and command line. */
    processes: () => new Map(readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const [letter, ppid, pgrp, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (letter === 'Z' || letter === 'X' || !readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(`SYSG_SOAK_HOME=${dir}`)) return [];
        return [[Number(name), { ppid: Number(ppid), pgrp: Number(pgrp), session: Number(session), argv: readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0') }]];
      } catch {
        // It ended meanwhile.
        return [];
      }
    })),
    async remove() {
      await sysg('stop');
      for (const pid of this.processes().keys()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended meanwhile.
        }
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Waits for a fact; fails naming it. */
export async function soon(what, look, deadlineMs = 30_000, everyMs = 20) {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const fact = await look();
    if (fact !== null && fact !== false && fact !== undefined) return fact;
    if (performance.now() > end) throw new Error(`did not come true in ${deadlineMs} ms: ${what}`);
    await pause(everyMs);
  }
}

export function pause(ms) {
  return new Promise((wake) => void setTimeout(wake, ms));
}

/** mulberry32: the same numbers for the same seed. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (limit) => Math.floor(next() * limit), pick: (list) => list[Math.floor(next() * list.length)] };
}
