import type { LogSpec } from '../../machines/types.ts';
import { formatSize } from '../words.ts';
import { choice, flag, integer, meaning, size, spelledCommand, type Kind } from './kind.ts';
import { below, complain, warn } from './place.ts';
import { defaultsOf, optional, record, withDefault, type Values } from './record.ts';

const rotationKeys = {
  size: withDefault(size, 'Size at which a log file is rotated.', 10 * 1024 * 1024),
  keep: withDefault(integer(0, 10_000), 'Archives kept.', 5),
  compress: withDefault(flag, 'Whether archives are gzip files.', true),
};

const logKeys = {
  via: withDefault(choice(['pipe', 'file']), '`file` hands the log file itself to the service: no cost, but no line times.', 'pipe'),
  rotate: optional(record(rotationKeys, 'rotation keys'), 'When log files are rotated and how many are kept.'),
  logger: optional(spelledCommand, 'Command that gets each stream on its stdin instead of the log file; `SYSG_LOG_STREAM` says which.'),
};

/** Below this a busy service would rotate all the time. */
const leastRotateBytes = 4096;

export const logs: Kind<LogSpec> = {
  ...meaning(record(logKeys, 'log keys'), (values, place) => {
    if (values.via === 'file') {
      complain(below(place, 'logger'), "'logger' and 'via: file' exclude each other");
      warn(below(place, 'via'), 'a service that re-opens /dev/stdout or /dev/stderr truncates the file, and lines have no times');
    }
    const spec = logSpec(values);
    const { sizeBytes } = spec.rotate;
    if (sizeBytes < leastRotateBytes) complain(below(below(place, 'rotate'), 'size'), `expected a size of at least ${formatSize(leastRotateBytes)}, got ${formatSize(sizeBytes)}`);
    return spec;
  }),
  show: ({ via, rotate: { sizeBytes, keep, compress }, logger }) => ({
    via, rotate: { size: formatSize(sizeBytes), keep, compress }, ...(logger !== null && { logger }),
  }),
};

export const defaultLogs: LogSpec = logSpec(defaultsOf(logKeys));

function logSpec({ via, rotate, logger }: Values<typeof logKeys>): LogSpec {
  const { size: sizeBytes, keep, compress } = rotate ?? defaultsOf(rotationKeys);
  return { via, rotate: { sizeBytes, keep, compress }, logger };
}
