import { resolve } from 'node:path';
import { defaultMetrics, type MetricsSpec } from '../metrics-spec.ts';
import { filled, integer, meaning, size, type Kind } from './kind.ts';
import { warn } from './place.ts';
import { optional, record, withDefault, type Values } from './record.ts';

const metricsKeys = {
  retention_minutes: withDefault(clamped(integer(0), 1, 5_256_000), 'How long samples are kept.', defaultMetrics.retentionMs / 60_000),
  sample_interval_secs: withDefault(clamped(integer(0), 1, 60), 'Time between samples, 1 to 60 seconds.', defaultMetrics.sampleIntervalMs / 1000),
  max_memory_bytes: withDefault(clamped(size, 131_072, Number.MAX_SAFE_INTEGER), 'Memory for samples of all units, at least 128K.', defaultMetrics.maxMemoryBytes),
  spillover_path: optional(filled('a path'), 'Directory for evicted samples, relative to the project directory.'),
  spillover_max_bytes: withDefault(size, 'Size of that directory; 0 disables it.', defaultMetrics.spilloverMaxBytes),
  spillover_segment_bytes: withDefault(size, 'Size of one of its files.', defaultMetrics.spilloverSegmentBytes),
};

export const metrics = record(metricsKeys, 'metrics keys');

export function resolveMetrics(values: Values<typeof metricsKeys>, projectDir: string): MetricsSpec {
  return {
    retentionMs: values.retention_minutes * 60_000, sampleIntervalMs: values.sample_interval_secs * 1000, maxMemoryBytes: values.max_memory_bytes,
    spilloverPath: values.spillover_path === null ? null : resolve(projectDir, values.spillover_path),
    spilloverMaxBytes: values.spillover_max_bytes, spilloverSegmentBytes: values.spillover_segment_bytes,
  };
}

function clamped(kind: Kind<number>, least: number, most: number): Kind<number> {
  return {
    ...kind,
    ...meaning(kind, (value, place) => {
      const used = Math.min(most, Math.max(least, value));
      if (used !== value) warn(place, `${value} is read as ${used}, as in systemg 0.33.0`);
      return used;
    }),
  };
}
