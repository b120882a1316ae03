import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openChildLogs, type ChildLog, type ChildLogs, type ChildLogsOptions } from '../../src/logs/child-logs.ts';
import { piped } from './rig.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';

function rig(options: Partial<ChildLogsOptions> = {}) {
  const dir = tempDir();
  const [fifoDir, logDir] = [join(dir, 'fifo'), join(dir, 'logs')];
  mkdirSync(fifoDir);
  const problems: string[] = [];
  const open = (): ChildLogs => {
    const logs = openChildLogs({ fifoDir, logDir, onProblem: (text) => void problems.push(text), ...options });
    onTestFinished(() => logs.close());
    return logs;
  };
  const log = (changes: Partial<ChildLog> = {}): ChildLog => ({ id: 's.c1', unit: 'web', name: 'job', pid: 70, logs: piped, owner: null, ...changes });
  const run = (logs: ChildLogs, script: string, id = 's.c1') => {
    const ends = logs.openEnds(id, null);
    const child = spawn('sh', ['-c', script], { stdio: ['ignore', ends.stdout, ends.stderr] });
    closeSync(ends.stdout);
    closeSync(ends.stderr);
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  };
  const text = (name: string): string => (existsSync(join(logDir, 'spawn', name)) ? readFileSync(join(logDir, 'spawn', name), 'utf8') : '');
  return { fifoDir, logDir, problems, open, log, run, text };
}

test('what a child writes is in a file named after service, child and pid, also what it wrote before its pid was known', async () => {
  const { open, log, run, text, fifoDir, problems } = rig();
  const logs = open();
  const child = run(logs, 'echo out; echo err > /dev/stderr; echo more');
  await once(child, 'exit');
  logs.attach(log({ unit: 'My-Web', name: 'Job #1', pid: 4711 }));
  logs.release('s.c1');
  expect(text('myweb_job1_4711_stdout.log')).toBe('out\nmore\n');
  expect(text('myweb_job1_4711_stderr.log')).toBe('err\n');
  expect(readdirSync(join(fifoDir, 'spawn')).filter((name) => !name.startsWith('spare-'))).toEqual([]);
  expect(problems).toEqual([]);
});

test('names without a letter fall back to dynamic and child', async () => {
  const { open, log, run, text } = rig();
  const logs = open();
  await once(run(logs, 'echo x'), 'exit');
  logs.attach(log({ unit: '--', name: '' }));
  logs.release('s.c1');
  expect(text('dynamic_child_70_stdout.log')).toBe('x\n');
});

test('no line is lost between a supervisor that was killed and the next', async () => {
  const { open, log, run, text } = rig();
  const first = open();
  const child = run(first, 'i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; sleep 0.001; done; exec sleep 1000');
  first.attach(log());
  await until('it writes', () => text('web_job_70_stdout.log').includes('line 20\n'));
  first.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const second = open();
  second.attach(log());
  second.prune();
  await until('all is there', () => text('web_job_70_stdout.log').includes('line 400\n'));
  expect(text('web_job_70_stdout.log')).toBe(Array.from({ length: 400 }, (_, index) => `line ${index + 1}\n`).join(''));
  child.kill('SIGKILL');
});

test('files rotate as the service\'s do', async () => {
  const { open, log, run, logDir } = rig();
  const logs = open();
  const child = run(logs, 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo a line of some length $i; done');
  logs.attach(log({ logs: { ...piped, rotate: { sizeBytes: 2000, keep: 2, compress: false } } }));
  await once(child, 'exit');
  logs.release('s.c1');
  expect(readdirSync(join(logDir, 'spawn')).filter((name) => !name.endsWith('.times')).sort()).toEqual(['web_job_70_stdout.log', 'web_job_70_stdout.log.1', 'web_job_70_stdout.log.2']);
});

test('of ended children the newest pairs stay, archives included; the files of living ones always', async () => {
  const { open, log, run, logDir } = rig({ keptPairs: 3 });
  const logs = open();
  const directory = join(logDir, 'spawn');
  mkdirSync(directory, { recursive: true });
  for (let pid = 1; pid <= 4; pid += 1) {
    for (const name of [`web_old_${pid}_stdout.log`, `web_old_${pid}_stderr.log`, `web_old_${pid}_stdout.log.1.gz`]) {
      writeFileSync(join(directory, name), 'x');
      utimesSync(join(directory, name), 1000 + pid, 1000 + pid);
    }
  }
  writeFileSync(join(directory, 'notes.txt'), 'mine');
  run(logs, 'echo lives; exec sleep 1000');
  logs.attach(log());
  await until('it wrote', () => existsSync(join(directory, 'web_job_70_stdout.log')));
  utimesSync(join(directory, 'web_job_70_stdout.log'), 1, 1);
  logs.release('another');
  const left = new Set(readdirSync(directory).map((name) => name.replace(/_std.*$/, '')));
  expect([...left].sort()).toEqual(['notes.txt', 'web_job_70', 'web_old_3', 'web_old_4']);
});

test('lines are echoed under the names of service and child', async () => {
  const lines: string[] = [];
  const { open, log, run } = rig({ echo: (label, stream, line) => void lines.push(`${label} ${stream} ${line}`) });
  const logs = open();
  await once(run(logs, 'echo one; printf two >&2'), 'exit');
  logs.attach(log());
  logs.release('s.c1');
  expect(lines.sort()).toEqual(['web:job stderr two', 'web:job stdout one']);
});

test('FIFOs for children to come that somebody has removed are made again', async () => {
  const { open, log, run, text, fifoDir, problems } = rig();
  const logs = open();
  await once(run(logs, 'echo one'), 'exit');
  rmSync(join(fifoDir, 'spawn'), { recursive: true });
  await once(run(logs, 'echo two', 's.c2'), 'exit');
  logs.attach(log({ id: 's.c2', pid: 71 }));
  logs.release('s.c2');
  expect([text('web_job_71_stdout.log'), problems]).toEqual(['two\n', []]);
});

test('FIFOs of children nobody knows are removed, those in use stay', () => {
  const { open, log, fifoDir } = rig();
  const logs = open();
  for (const id of ['s.c1', 's.c2']) {
    const ends = logs.openEnds(id, null);
    closeSync(ends.stdout);
    closeSync(ends.stderr);
  }
  logs.attach(log());
  logs.prune();
  expect(readdirSync(join(fifoDir, 'spawn')).filter((name) => !name.startsWith('spare-')).sort()).toEqual(['s.c1.stderr', 's.c1.stdout']);
  const ends = logs.openEnds('s.c3', null);
  expect([ends.stdout, ends.stderr].map((descriptor) => fstatSync(descriptor).isFIFO())).toEqual([true, true]);
  closeSync(ends.stdout);
  closeSync(ends.stderr);
  logs.close();
  expect(readdirSync(join(fifoDir, 'spawn')).filter((name) => name.startsWith('spare-'))).toEqual([]);
});
