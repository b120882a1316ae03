/** How long samples of all units are kept, how often they are taken, and how much of them. */
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

/** Of a configuration that says nothing about metrics. */
export const defaultMetrics: MetricsSpec = {
  retentionMs: 720 * 60_000, sampleIntervalMs: 1000, maxMemoryBytes: 10_485_760,
  spilloverPath: null, spilloverMaxBytes: 6_291_456, spilloverSegmentBytes: 262_144,
};
