import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { onTestFinished, describe, expect, test } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { until } from './rig.ts';

const script = readFileSync(resolve(import.meta.dirname, '../../src/guardian.sh'), 'utf8');

/** A stand-in for the daemon: sets its traps, notes each of its starts, then does what `body` says. A start that is noted can be signalled. */
const standIn = (traps: string, body: string): string => `#!/bin/sh
directory=$1
note() { printf %s "$1" >"$SYSG_GUARDIAN"; }
end() { note "$1"; kill -URG "\${SYSG_GUARDIAN##*.}"; exit "\${2:-$1}"; }
forever() { while :; do sleep 0.02; done; }
${traps}
start=$(cat "$directory/starts" 2>/dev/null | wc -l)
start=$((start + 1))
printf '%s %s %s\\n' "$$" "\${SYSG_READY_FD:-none}" "\${SYSG_ASKED:-none}" >>"$directory/starts"
echo start >>"$directory/order"
${body}
`;

interface Start {
  readonly pid: number;
  readonly readyFd: string;
  readonly asked: string;
}

interface Guarded {
  readonly directory: string;
  readonly guardian: ChildProcess;
  readonly ended: Promise<number | null>;
  starts(): Start[];
  startNumber(count: number): Promise<Start>;
  /** What was written to standard error so far. */
  said(): string;
}

function guard(body: string, options: { readonly traps?: string; readonly ready?: boolean; readonly tools?: string; readonly uid?: number } = {}): Guarded {
  const directory = tempDir();
  const daemon = join(directory, 'daemon');
  writeFileSync(daemon, standIn(options.traps ?? '', body));
  chmodSync(daemon, 0o755);
  if (options.uid !== undefined) chownSync(directory, options.uid, options.uid);
  const guardian = spawn('/bin/sh', ['-s', '--', directory, daemon, directory], {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    detached: true,
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
    env: {
      PATH: [options.tools, process.env['PATH']].filter((path) => path !== undefined).join(':'),
      ORDER: join(directory, 'order'),
      ...(options.ready && { SYSG_READY_FD: '3' }),
    },
  });
  guardian.stdin?.end(`${script}\nguard "$@"\n`);
  let said = '';
  guardian.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<number | null>((settle) => guardian.once('exit', settle));
  onTestFinished(() => {
    // Its session is its own: what is left of it ends here.
    if (guardian.pid !== undefined && guardian.exitCode === null) process.kill(-guardian.pid, 'SIGKILL');
  });
  const starts = (): Start[] => {
    const path = join(directory, 'starts');
    if (!existsSync(path)) return [];
    // A line that is not complete yet is no start: pid 0 would be the process group of this test.
    return readFileSync(path, 'utf8').split('\n').slice(0, -1).map((line) => {
      const [pid = '', readyFd = '', asked = ''] = line.split(' ');
      return { pid: Number(pid), readyFd, asked };
    });
  };
  return { directory, guardian, ended, starts, startNumber: (count) => until(() => starts()[count - 1]), said: () => said };
}

describe('the guardian', () => {
  test.each([0, 3, 143])('passes on the exit code %i of an end in order, whatever the process itself ended with', async (code) => {
    const guarded = guard(`end ${code} 1`);
    expect(await guarded.ended).toBe(code);
    expect(guarded.starts()).toHaveLength(1);
    expect(existsSync(join(guarded.directory, `guardian.${guarded.guardian.pid}`))).toBe(false);
  });

  test('starts the daemon again after kill -9', async () => {
    const guarded = guard('forever', { traps: 'trap "end 5" TERM' });
    const first = await guarded.startNumber(1);
    process.kill(first.pid, 'SIGKILL');
    const second = await guarded.startNumber(2);
    expect(second.pid).not.toBe(first.pid);
    guarded.guardian.kill('SIGTERM');
    expect(await guarded.ended).toBe(5);
  });

  // The limit counts the processes of a user, and not root's: this one nobody else has.
  test.runIf(process.getuid?.() === 0)('goes on trying where no process is to be had', async () => {
    const uid = 64_124;
    const guarded = guard('forever', { traps: 'trap "end 5" TERM', uid });
    const first = await guarded.startNumber(1);
    const limit = (most: string): void => void execFileSync('prlimit', ['--pid', String(guarded.guardian.pid), `--nproc=${most}:`], { uid, gid: uid });
    limit('0');
    process.kill(first.pid, 'SIGKILL');
    await until(() => /fork/i.test(guarded.said()));
    limit('4096');
    await guarded.startNumber(2);
    guarded.guardian.kill('SIGTERM');
    expect(await guarded.ended).toBe(5);
  });

  test('takes an exit 0 without a word for a death too', async () => {
    const guarded = guard('[ "$start" -gt 1 ] && end 0; exit 0');
    expect(await guarded.ended).toBe(0);
    expect(guarded.starts()).toHaveLength(2);
  });

  test('never starts it twice within a second', async () => {
    const tools = tempDir();
    writeFileSync(join(tools, 'sleep'), `#!/bin/sh\n/bin/sleep "$1"\necho "slept $1" >>"$ORDER"\n`, { mode: 0o755 });
    const guarded = guard('[ "$start" -gt 3 ] && end 0; exit 9', { tools });
    expect(await guarded.ended).toBe(0);
    const order = readFileSync(join(guarded.directory, 'order'), 'utf8').trim().split('\n');
    expect(order.slice(0, 7)).toEqual(['start', 'slept 1', 'start', 'slept 1', 'start', 'slept 1', 'start']);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)('hands %s on as TERM and waits for the end', async (signal) => {
    const guarded = guard('forever', { traps: 'trap "sleep 0.2; end 7" TERM' });
    await guarded.startNumber(1);
    guarded.guardian.kill(signal);
    expect(await guarded.ended).toBe(7);
    expect(guarded.starts()).toHaveLength(1);
  });

  // A shell in its place could not handle INT, which it finds ignored.
  test('hands a second INT on as INT, which means SIGKILL to everything', async () => {
    const program = `
      const note = (name) => require('node:fs').writeFileSync(process.argv[1] + '/' + name, '');
      process.on('SIGTERM', () => note('term')).on('SIGINT', () => { require('node:fs').writeFileSync(process.env.SYSG_GUARDIAN, '9'); process.kill(process.ppid, 'SIGURG'); process.exit(9); });
      setInterval(() => {}, 1000);
      note('ready');`;
    const guarded = guard(`exec '${process.execPath}' -e "${program.replaceAll('"', '\\"')}" "$directory"`);
    await until(() => existsSync(join(guarded.directory, 'ready')));
    guarded.guardian.kill('SIGINT');
    await until(() => existsSync(join(guarded.directory, 'term')));
    guarded.guardian.kill('SIGINT');
    expect(await guarded.ended).toBe(9);
  });

  test('hands QUIT on as TERM, PWR too, USR1 as what it is, and dies of no other signal', async () => {
    const guarded = guard('forever', { traps: 'trap \': >"$directory/usr1"\' USR1; trap "end 0" TERM' });
    await guarded.startNumber(1);
    // 34 to 64 are the real-time signals, of which Node knows no names.
    for (const number of process.platform === 'linux' ? [34, 50, 64] : []) process.kill(guarded.guardian.pid ?? 0, number);
    const ofLinux = process.platform === 'linux' ? ['SIGIO', 'SIGSTKFLT'] as const : [];
    for (const signal of ['SIGUSR2', 'SIGALRM', 'SIGPIPE', 'SIGVTALRM', 'SIGPROF', 'SIGXCPU', 'SIGXFSZ', ...ofLinux, 'SIGUSR1'] as const) guarded.guardian.kill(signal);
    await until(() => existsSync(join(guarded.directory, 'usr1')));
    expect(guarded.guardian.signalCode).toBeNull();
    guarded.guardian.kill(process.platform === 'linux' ? 'SIGPWR' : 'SIGQUIT');
    expect(await guarded.ended).toBe(0);
    expect(guarded.starts()).toHaveLength(1);
  });

  test('hands HUP on and goes on', async () => {
    const guarded = guard('forever', { traps: 'trap \': >"$directory/hup"\' HUP; trap "end 0" TERM' });
    await guarded.startNumber(1);
    guarded.guardian.kill('SIGHUP');
    await until(() => existsSync(join(guarded.directory, 'hup')));
    expect(guarded.guardian.exitCode).toBeNull();
    guarded.guardian.kill('SIGTERM');
    expect(await guarded.ended).toBe(0);
    expect(guarded.starts()).toHaveLength(1);
  });

  test('a daemon that dies of TERM before it could handle it is started once more, to clean up', async () => {
    const guarded = guard('[ -n "$SYSG_ASKED" ] && end 0; forever');
    await guarded.startNumber(1);
    guarded.guardian.kill('SIGTERM');
    expect(await guarded.ended).toBe(0);
    expect(guarded.starts().map(({ asked }) => asked)).toEqual(['none', 'TERM']);
  });

  // The window is a few microseconds wide: of forty, two or more were lost while the guardian did not look out for it.
  test('TERM is never lost, not even between the fork and the exec of the daemon', async () => {
    for (let round = 0; round < 10; round += 1) {
      const codes = await Promise.all(Array.from({ length: 4 }, async () => {
        const guarded = guard('[ -n "$SYSG_ASKED" ] && end 0; forever', { traps: 'trap "end 0" TERM' });
        const children = `/proc/${guarded.guardian.pid}/task/${guarded.guardian.pid}/children`;
        // The first child is the pause, the second is to become the daemon.
        await new Promise(setImmediate);
        while (readFileSync(children, 'utf8').trim().split(' ').length < 2) continue;
        guarded.guardian.kill('SIGTERM');
        return guarded.ended;
      }));
      expect(codes).toEqual([0, 0, 0, 0]);
    }
  });

  test('and only once more', async () => {
    const guarded = guard('[ -n "$SYSG_ASKED" ] && exit 70; forever');
    await guarded.startNumber(1);
    guarded.guardian.kill('SIGTERM');
    expect(await guarded.ended).toBe(70);
    expect(guarded.starts()).toHaveLength(2);
  });

  test('TERM while no daemon lives is for the next one', async () => {
    const guarded = guard('[ -n "$SYSG_ASKED" ] && end 4; : >"$directory/dying"; exit 9');
    await until(() => existsSync(join(guarded.directory, 'dying')));
    guarded.guardian.kill('SIGTERM');
    expect(await guarded.ended).toBe(4);
    expect(guarded.starts().at(-1)?.asked).toBe('TERM');
  });

  test('the readiness descriptor is for the first start, and closes with it', async () => {
    const guarded = guard('[ "$start" -eq 1 ] && { echo first >&3; exit 9; }; { echo second >&3; } 2>/dev/null; forever', {
      ready: true, traps: 'trap "end 0" TERM',
    });
    const readiness = guarded.guardian.stdio[3];
    if (!(readiness instanceof Readable)) throw new Error('no descriptor 3');
    expect(await text(readiness)).toBe('first\n');
    await guarded.startNumber(2);
    expect(guarded.starts().map(({ readyFd }) => readyFd)).toEqual(['3', 'none']);
    guarded.guardian.kill('SIGTERM');
    expect(await guarded.ended).toBe(0);
  });

  test('ends with a daemon that dies after its state directory was removed', async () => {
    const guarded = guard('rm -rf "$directory"; exit 9');
    expect(await guarded.ended).toBe(9);
  });

  test('rubbish in the file is an end that failed', async () => {
    expect(await guard('end rubbish 0').ended).toBe(1);
  });

  test('the file alone is enough: an older daemon sends no signal', async () => {
    expect(await guard('note 6; exit 0').ended).toBe(6);
  });

  test('and so is the signal: somebody may remove the file at once, or the disk is full', async () => {
    const guarded = guard('rm -rf "$directory"/*; kill -URG "${SYSG_GUARDIAN##*.}"; exit 4');
    await guarded.ended;
    expect(existsSync(join(guarded.directory, 'starts'))).toBe(false);
  });
});
