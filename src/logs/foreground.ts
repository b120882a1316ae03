import { echoLine, echoWidth } from './echo.ts';
import type { LogStream } from './names.ts';

/** What a supervisor in the foreground shows of its services: `unit | line`, each stream to its own. */
export interface ForegroundEcho {
  /** Lines the names up; called whenever the set of units changes. */
  align(units: Iterable<string>): void;
  readonly write: (unit: string, stream: LogStream, line: string) => void;
}

/** `stderrOnly`: as 0.33.0's `--stderr`, standard error goes to our standard output as `[unit:stderr] line`, and nothing else does. */
export function makeForegroundEcho({ stderrOnly }: { readonly stderrOnly: boolean }): ForegroundEcho {
  let width = 0;
  const closed = new Set<NodeJS.WriteStream>();
  for (const stream of [process.stdout, process.stderr]) {
    // EPIPE: whoever read it is gone, as in `sysg start | head`. The services go on.
    stream.on('error', () => closed.add(stream));
  }
  const print = (target: NodeJS.WriteStream, text: string): void => {
    if (!closed.has(target)) target.write(text);
  };
  return {
    align: (units) => {
      width = echoWidth(units);
    },
    write: (unit, stream, line) => {
      if (!stderrOnly) print(stream === 'stdout' ? process.stdout : process.stderr, echoLine(unit, line, width));
      else if (stream === 'stderr') print(process.stdout, `[${unit}:stderr] ${line}\n`);
    },
  };
}
