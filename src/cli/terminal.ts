import { fstatSync, writeSync } from 'node:fs';
import { attempt, exitCodeOf, type Refusal } from '../errors.ts';
import { inAscii, legible, speaksUnicode } from '../width.ts';
import { includes, type LogLevel } from '../log-level.ts';

/** Where a command writes its output. */
export interface Terminal {
  /** Columns of stdout, null when it is no terminal: then nothing is cut. */
  readonly columns: number | null;
  readonly color: boolean;
  stderrIsTerminal(): boolean;
  /** A person can press keys, and what is shown can be drawn over. */
  readonly isInteractive?: boolean;
  /** To stdout, as it is. Resolves when it was taken. */
  write(text: string | Uint8Array): Promise<void>;
  /** A line to stdout. */
  print(line: string): void;
  /** A line to stderr. */
  complain(line: string): void;
  /** Asks a person on stderr, who answers yes or no. Null: nobody is there to be asked. */
  confirm?(question: string): Promise<boolean> | null;
  /** Resolves when everything was taken. Absent: nothing waits. */
  settle?(): Promise<void>;
}

export interface Speaker extends Terminal {
  warn(text: string): void;
  /** Says why not, and gives the exit code. */
  refuse(refusal: Refusal): number;
}

/** This process's own. Streams are opened when they are needed: loading what is under them takes longer than a short command may. */
export function processTerminal(env: NodeJS.ProcessEnv): Terminal {
  const isTerminal = mayBeTerminal(1) && process.stdout.isTTY;
  const columns = isTerminal ? process.stdout.columns || 80 : null;
  const out = isTerminal ? streamed(process.stdout, stdoutFailed) : direct(1, () => process.stdout, stdoutFailed);
  const complaints = mayBeTerminal(2) ? streamed(process.stderr, stderrFailed) : direct(2, () => process.stderr, stderrFailed);
  // What is read by programs is the same everywhere.
  const spelled = speaksUnicode(env) || process.argv.includes('--json') ? String : inAscii;
  return {
    columns,
    color: columns !== null && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    stderrIsTerminal: () => mayBeTerminal(2) && process.stderr.isTTY === true,
    isInteractive: columns !== null && env['TERM'] !== 'dumb' && mayBeTerminal(0) && process.stdin.isTTY === true,
    write: out.write,
    print: (line) => out.print(`${spelled(line)}\n`),
    complain: (line) => complaints.print(`${spelled(line)}\n`),
    confirm: (question) => (mayBeTerminal(0) && process.stdin.isTTY && mayBeTerminal(2) && process.stderr.isTTY ? confirmed(spelled(question)) : null),
    settle: async () => {
      await out.settle();
      await complaints.settle();
    },
  };
}

/** Ctrl-C and Ctrl-D are a no. */
async function confirmed(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    const leave = (): void => {
      process.stderr.write('\n');
      resolve('');
    };
    lines.once('close', leave);
    lines.question(`${question} [y/N] `, (text) => {
      lines.off('close', leave);
      resolve(text);
    });
  });
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}

interface Outlet {
  print(text: string): void;
  /** Resolves when it was taken, or the failure was heard of. */
  write(text: string | Uint8Array): Promise<void>;
  /** Resolves when all was taken. */
  settle(): Promise<void>;
}

type Failed = (error: NodeJS.ErrnoException) => void;

function streamed(stream: NodeJS.WriteStream, failed: Failed): Outlet {
  stream.on('error', failed);
  const write = (text: string | Uint8Array): Promise<void> => new Promise((resolve) => {
    stream.write(text, (error) => {
      // Bun says so here before its stream does, and the command would end in between.
      if (error != null) failed(error);
      resolve();
    });
  });
  return { print: (text) => void stream.write(text), write, settle: () => write('') };
}

/** Writes at once, as the streams of files and pipes do. What does not want to be written like that is left to the stream, and all that follows. */
function direct(descriptor: number, open: () => NodeJS.WriteStream, failed: Failed): Outlet {
  let outlet: Outlet | null = null;
  const write = (text: string | Uint8Array): Promise<void> => {
    const rest = outlet === null ? writeNow(descriptor, Buffer.from(text)) : text;
    return rest.length === 0 ? Promise.resolve() : (outlet ??= streamed(open(), failed)).write(rest);
  };
  return { print: (text) => void write(text), write, settle: () => outlet?.settle() ?? Promise.resolve() };
}

/** What could not be written: a non-blocking pipe is full, or the reader has left, which the stream reports in its own way. */
function writeNow(descriptor: number, bytes: Buffer): Buffer {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(descriptor, bytes, written);
  } catch {
    // EAGAIN, EPIPE, EBADF, EIO…: the stream meets it again.
  }
  return bytes.subarray(written);
}

/** `sysg logs | head`: the reader has what it wanted. */
function stdoutFailed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') process.stderr.write(`sysg: stdout cannot be written: ${error.message}\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
}

/** What was done is done, and nobody is left to hear of this. */
function stderrFailed(): void {}

/** Only character devices can be; asking the streams means loading them. */
function mayBeTerminal(descriptor: number): boolean {
  // Null: it is closed.
  const stats = attempt(() => fstatSync(descriptor), null);
  return stats?.isCharacterDevice() === true && !(process.platform === 'linux' && stats.rdev === DEV_NULL);
}

/** Character device 1:3 of null(4). */
const DEV_NULL = 0x103;

export function speaker(terminal: Terminal, level: LogLevel): Speaker {
  // Names, paths and what other programs answer are in nearly all of them.
  const complain = (line: string): void => terminal.complain(legible(line));
  return {
    ...terminal, complain,
    warn: (text) => {
      if (includes(level, 'warn')) complain(`sysg: warning: ${text}`);
    },
    refuse: (refusal) => {
      complain(`sysg: ${refusal.message}`);
      return exitCodeOf(refusal);
    },
  };
}
