import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { attempt, hasCode } from '../errors.ts';
import { counted } from '../words.ts';

/** Standard output or error of a supervisor in the foreground, which must not wait for what reads it. */
export interface PatientOutput {
  /** Whole lines. What does not fit in the queue is left out and counted; the number is written when there is room again. */
  write(text: string): void;
  /** Writes what can be written now, and gives up the rest. */
  end(): void;
}

/**
 * A terminal held with Ctrl-S, or a pipe that nobody empties, takes no more: Node's own streams to both wait, and with them all services.
 * So it is written to through a descriptor of our own that does not block; the caller's, which others share, stays as it is. What cannot
 * be opened once more, as a socket, is written to by Node, which does not wait there.
 */
export function openPatientOutput(descriptor: 1 | 2): PatientOutput {
  const own = reopened(descriptor);
  return own === null ? throughNode(descriptor === 1 ? process.stdout : process.stderr) : makePatientOutput(own);
}

/** `descriptor` has O_NONBLOCK, and is closed when it turns out that nobody is there. */
export function makePatientOutput(descriptor: number, queueBytes = usualQueueBytes): PatientOutput {
  const queue: Buffer[] = [];
  let waitingBytes = 0;
  let missing = 0;
  let timer: NodeJS.Timeout | null = null;
  let pauseMs = leastPauseMs;
  let isGone = false;

  const leave = (): void => {
    isGone = true;
    queue.length = 0;
    closeSync(descriptor);
  };

  const push = (bytes: Buffer): void => {
    queue.push(bytes);
    waitingBytes += bytes.length;
  };

  const drain = (): void => {
    timer = null;
    for (let head = queue[0]; head !== undefined && !isGone; head = queue[0]) {
      const written = writeNow(descriptor, head);
      if (written === 'gone') return leave();
      waitingBytes -= written;
      // Soon while it moves, seldom while it is held.
      if (written > 0) pauseMs = leastPauseMs;
      if (written < head.length) {
        queue[0] = head.subarray(written);
        timer = setTimeout(drain, pauseMs).unref();
        pauseMs = Math.min(mostPauseMs, pauseMs * 2);
        return;
      }
      queue.shift();
      if (queue.length > 0 || missing === 0) continue;
      push(Buffer.from(leftOut(missing)));
      missing = 0;
    }
  };

  return {
    write(text) {
      if (isGone) return;
      const bytes = Buffer.from(text);
      if (missing > 0 || (waitingBytes > 0 && waitingBytes + bytes.length > queueBytes)) {
        missing += 1;
        return;
      }
      push(bytes);
      if (timer === null) drain();
    },
    end() {
      if (timer !== null) clearTimeout(timer);
      if (isGone) return;
      drain();
      if (timer !== null) clearTimeout(timer);
      if (!isGone) leave();
    },
  };
}

const usualQueueBytes = 1024 * 1024;
const leastPauseMs = 1;
const mostPauseMs = 50;

function leftOut(lines: number): string {
  return `sysg: ${counted(lines, 'line')} ${lines === 1 ? 'was' : 'were'} not shown here: they came faster than they were taken; they are in the logs\n`;
}

function writeNow(descriptor: number, bytes: Buffer): number | 'gone' {
  try {
    return writeSync(descriptor, bytes);
  } catch (error) {
    if (hasCode(error, 'EAGAIN')) return 0;
    // EPIPE, as in `sysg start | head`, EIO of a terminal that was closed: the services go on.
    return 'gone';
  }
}

/** The same terminal, pipe or file with flags of its own; null where that cannot be had. */
function reopened(descriptor: number): number | null {
  // EACCES of a terminal that is another user's, ENXIO of one that is gone.
  return attempt(() => {
    const stat = fstatSync(descriptor);
    // Those never make anybody wait, and a file opened anew would be written from its beginning.
    if (!stat.isCharacterDevice() && !stat.isFIFO()) return null;
    return openSync(process.platform === 'linux' ? `/proc/self/fd/${descriptor}` : '/dev/tty', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  }, null);
}

function throughNode(stream: NodeJS.WriteStream): PatientOutput {
  let isGone = false;
  let missing = 0;
  stream.on('error', () => {
    isGone = true;
  });
  return {
    write(text) {
      if (isGone) return;
      if (stream.writableLength > usualQueueBytes) {
        missing += 1;
        return;
      }
      if (missing > 0) stream.write(leftOut(missing));
      missing = 0;
      stream.write(text);
    },
    end: () => undefined,
  };
}
