import { resolve } from 'node:path';
import { filled, integer, size } from './kind.ts';
import { below, warn, type Written } from './place.ts';
import { optional, record, withDefault, type Values } from './record.ts';

/** The `metrics` block: how long and how much is kept. */
export interface MetricsSpec {
  readonly retentionMs: number;
  readonly sampleIntervalMs: number;
  readonly maxMemoryBytes: number;
  /** Absolute; `null`: nothing is spilled to disk. */
  readonly spilloverPath: string | null;
  /** 0 disables spilling. */
  readonly spilloverMaxBytes: number;
  readonly spilloverSegmentBytes: number;
}

const count = integer(0);

const metricsKeys = {
  retention_minutes: withDefault(count, 'How long samples are kept.', 720),
  sample_interval_secs: withDefault(count, 'Time between samples, 1 to 60 seconds.', 1),
  max_memory_bytes: withDefault(size, 'Memory for samples of all units, at least 128K.', 10_485_760),
  spillover_path: optional(filled('a path'), 'Directory for evicted samples, relative to the project directory.'),
  spillover_max_bytes: withDefault(size, 'Size of that directory; 0 disables it.', 6_291_456),
  spillover_segment_bytes: withDefault(size, 'Size of one of its files.', 262_144),
};

export const metrics = record(metricsKeys, 'metrics keys');

export function resolveMetrics(values: Values<typeof metricsKeys>, place: Written, projectDir: string): MetricsSpec {
  const clamped = (key: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): number => {
    const used = Math.min(most, Math.max(least, value));
    if (used !== value) warn(below(place, key), `${value} is read as ${used}, as in systemg 0.33.0`);
    return used;
  };
  return {
    retentionMs: clamped('retention_minutes', values.retention_minutes, 1, 5_256_000) * 60_000,
    sampleIntervalMs: clamped('sample_interval_secs', values.sample_interval_secs, 1, 60) * 1000,
    maxMemoryBytes: clamped('max_memory_bytes', values.max_memory_bytes, 131_072),
    spilloverPath: values.spillover_path === null ? null : resolve(projectDir, values.spillover_path),
    spilloverMaxBytes: values.spillover_max_bytes,
    spilloverSegmentBytes: values.spillover_segment_bytes,
  };
}
