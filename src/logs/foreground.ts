import { echoLine, echoWidth } from './labels.ts';
import type { LogStream } from './names.ts';
import { openPatientOutput } from './patient-output.ts';

/** What a supervisor in the foreground shows: its services as `unit | line`, each stream to its own, and its own records on standard error. */
export interface ForegroundEcho {
  /** Lines the names up; called whenever the set of units changes. */
  align(units: Iterable<string>): void;
  readonly write: (unit: string, stream: LogStream, line: string) => void;
  /** A line of the supervisor's own to standard output. */
  say(line: string): void;
  /** Whole lines to standard error. */
  readonly print: (text: string) => void;
  end(): void;
}

/** `stderrOnly`: as 0.33.0's `--stderr`, standard error goes to our standard output as `[unit:stderr] line`, and nothing else does. */
export function makeForegroundEcho({ stderrOnly }: { readonly stderrOnly: boolean }): ForegroundEcho {
  let width = 0;
  const stdout = openPatientOutput(1);
  const stderr = openPatientOutput(2);
  return {
    align: (units) => void (width = echoWidth(units)),
    write: (unit, stream, line) => {
      if (!stderrOnly) (stream === 'stdout' ? stdout : stderr).write(echoLine(unit, line, width));
      else if (stream === 'stderr') stdout.write(`[${unit}:stderr] ${line}\n`);
    },
    say: (line) => stdout.write(`${line}\n`),
    print: (text) => stderr.write(text),
    end: () => [stdout, stderr].forEach((output) => output.end()),
  };
}
