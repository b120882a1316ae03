import type { LogSpec } from '../../machines/types.ts';
import { formatSize } from '../words.ts';
import { choice, command, flag, integer, size, type Kind } from './kind.ts';
import { below, complain, warn } from './place.ts';
import { optional, record, withDefault } from './record.ts';

/** What holds where a service says nothing about its logs. */
export const defaultLogs: LogSpec = { via: 'pipe', rotate: { sizeBytes: 10 * 1024 * 1024, keep: 5, compress: true }, logger: null };

const rotation = record({
  size: withDefault(size, 'Size at which a log file is rotated.', defaultLogs.rotate.sizeBytes),
  keep: withDefault(integer(0, 10_000), 'Archives kept.', defaultLogs.rotate.keep),
  compress: withDefault(flag, 'Whether archives are gzip files.', defaultLogs.rotate.compress),
}, 'rotation keys');

const block = record({
  via: withDefault(choice(['pipe', 'file']), '`file` hands the log file itself to the service: no cost, but no line times.', defaultLogs.via),
  rotate: optional(rotation, 'When log files are rotated and how many are kept.'),
  logger: optional(command, 'Command that gets each stream on its stdin instead of the log file; `SYSG_LOG_STREAM` says which.'),
}, 'log keys');

/** Below this a busy service would rotate all the time. */
const leastRotateBytes = 4096;

export const logs: Kind<LogSpec> = {
  schema: block.schema,
  read(place) {
    const values = block.read(place);
    if (values === undefined) return undefined;
    const logger = below(place, 'logger');
    if (logger !== null && values.via === 'file') complain(logger, "'logger' and 'via: file' exclude each other");
    const via = below(place, 'via');
    if (via !== null && values.via === 'file') warn(via, 'a service that re-opens /dev/stdout or /dev/stderr truncates the file, and lines have no times');
    const rotate = values.rotate === null ? defaultLogs.rotate : { sizeBytes: values.rotate.size, keep: values.rotate.keep, compress: values.rotate.compress };
    const rotateSize = below(below(place, 'rotate') ?? place, 'size');
    if (rotateSize !== null && rotate.sizeBytes < leastRotateBytes) complain(rotateSize, `expected a size of at least ${formatSize(leastRotateBytes)}, got ${formatSize(rotate.sizeBytes)}`);
    return { via: values.via, rotate, logger: values.logger };
  },
  show: ({ via, rotate: { sizeBytes, keep, compress }, logger }) => ({
    via, rotate: { size: formatSize(sizeBytes), keep, compress }, ...(logger !== null && { logger }),
  }),
};
