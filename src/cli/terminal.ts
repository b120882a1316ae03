import { exitCodeOf, type Refusal } from '../errors.ts';
import { includes, type LogLevel } from '../logs/log-level.ts';

/** Where a command says what it has to say. */
export interface Terminal {
  /** Columns of stdout, null when it is no terminal: then nothing is cut. */
  readonly columns: number | null;
  readonly color: boolean;
  readonly stderrIsTerminal: boolean;
  /** Somebody sits at it: keys can be read, and what is shown can be drawn over. */
  readonly isInteractive?: boolean;
  /** To stdout, as it is. Resolves when it was taken. */
  write(text: string | Uint8Array): Promise<void>;
  /** A line to stdout. */
  print(line: string): void;
  /** A line to stderr. */
  complain(line: string): void;
}

export interface Speaker extends Terminal {
  warn(text: string): void;
  /** Says why not, and gives the exit code. */
  refuse(refusal: Refusal): number;
}

export function processTerminal(env: NodeJS.ProcessEnv): Terminal {
  const columns = process.stdout.isTTY ? process.stdout.columns || 80 : null;
  return {
    columns,
    color: columns !== null && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    stderrIsTerminal: process.stderr.isTTY === true,
    isInteractive: columns !== null && process.stdin.isTTY === true && env['TERM'] !== 'dumb',
    write: (text) => new Promise((resolve) => {
      // A reader that has left is noticed by the handler of the stream's errors.
      process.stdout.write(text, () => resolve());
    }),
    print: (line) => {
      process.stdout.write(`${line}\n`);
    },
    complain: (line) => {
      process.stderr.write(`${line}\n`);
    },
  };
}

export function speaker(terminal: Terminal, level: LogLevel): Speaker {
  return {
    ...terminal,
    warn: (text) => {
      if (includes(level, 'warn')) terminal.complain(`sysg: warning: ${text}`);
    },
    refuse: (refusal) => {
      terminal.complain(`sysg: ${refusal.message}`);
      return exitCodeOf(refusal);
    },
  };
}
