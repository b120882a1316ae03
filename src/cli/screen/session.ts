import { constants } from 'node:os';
import { fit, inAscii, speaksUnicode } from '../../width.ts';
import { openKeyReader, type Key } from './keys.ts';

/**
 * The terminal as a whole screen that is drawn on. Every way out restores the terminal, and the mouse is left alone. Keys go to `onKey`. Ctrl-C ends the
 * program with 130, a signal with 128 and its number, after the terminal was put back.
 */
export function openSession(onKey: (key: Key) => void) {
  const { stdin, stdout } = process;
  const reader = openKeyReader();
  let shown: readonly string[] = [];
  let redraw: () => void = () => {};
  let isOpen = false;
  let flushing: NodeJS.Timeout | null = null;
  const legible = speaksUnicode(process.env) ? String : inAscii;

  const enter = (): void => {
    isOpen = true;
    stdin.setRawMode(true);
    stdin.resume();
    stdout.write(ENTER);
    shown = [];
  };
  const leave = (): void => {
    if (!isOpen) return;
    isOpen = false;
    // Setting the mode of a terminal that has gone throws; there is nothing left to put back then.
    try {
      stdin.setRawMode(false);
      stdin.pause();
    } catch {
      return;
    }
    stdout.write(LEAVE);
  };
  const end = (code: number): void => {
    leave();
    process.exit(code);
  };
  const suspend = (): void => {
    leave();
    process.kill(process.pid, 'SIGSTOP');
  };
  const resume = (): void => {
    if (isOpen) return;
    enter();
    redraw();
  };
  const press = (keys: readonly Key[]): void => {
    for (const key of keys) {
      if (!isOpen) return;
      if (key === 'ctrl-c') end(130);
      else if (key === 'ctrl-z') suspend();
      else if (key === 'ctrl-l') resized();
      else onKey(key);
    }
  };
  const onData = (bytes: Buffer): void => {
    if (flushing !== null) clearTimeout(flushing);
    press(reader.push(bytes));
    // A lone escape looks like the beginning of an arrow; over a slow line the rest of one takes a moment.
    flushing = reader.pending ? setTimeout(() => press(reader.flush()), ESCAPE_MS) : null;
  };
  const resized = (): void => {
    shown = [];
    stdout.write(CLEAR);
    redraw();
  };
  const signals = ENDING_SIGNALS.map((signal) => [signal, () => end(128 + constants.signals[signal])] as const);
  const crashed = (error: unknown): void => {
    leave();
    process.stderr.write(`sysg: internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  };

  process.on('exit', leave);
  process.on('uncaughtException', crashed);
  process.on('SIGCONT', resume);
  for (const [signal, listener] of signals) process.on(signal, listener);
  stdin.on('data', onData);
  stdin.on('end', () => end(129));
  stdout.on('resize', resized);
  enter();

  const size = (): { readonly columns: number; readonly rows: number } => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  return {
    size,
    /** Shows these lines; only what changed is written. Lines may hold colours; what is too long is cut. */
    draw(lines: readonly string[]): void {
      if (!isOpen) return;
      const { columns, rows } = size();
      const frame = lines.slice(0, rows).map((line) => legible(fit(line, columns)));
      let text = '';
      for (let row = 0; row < Math.max(frame.length, shown.length); row += 1) {
        if (frame[row] === shown[row]) continue;
        // Erased first: after the last column is written, erasing to the end of the line would take that column away.
        text += `\u001b[${row + 1};1H\u001b[2K${frame[row] ?? ''}\u001b[0m`;
      }
      shown = frame;
      if (text !== '') stdout.write(text);
    },
    /** Redrawn, because its size changed or it was hidden: the next `draw` writes everything. */
    onRedraw(listener: () => void): void {
      redraw = listener;
    },
    close(): void {
      leave();
      if (flushing !== null) clearTimeout(flushing);
      process.off('exit', leave).off('uncaughtException', crashed).off('SIGCONT', resume);
      for (const [signal, listener] of signals) process.off(signal, listener);
      stdin.off('data', onData).removeAllListeners('end');
      stdout.off('resize', resized);
    },
  };
}

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const ESCAPE_MS = 50;
// The other screen, no cursor, no wrapping at the right edge, pasted text marked as such: its characters are no keys.
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[?2004h\u001b[2J';
const LEAVE = '\u001b[?2004l\u001b[?7h\u001b[?25h\u001b[?1049l';
const CLEAR = '\u001b[2J';
