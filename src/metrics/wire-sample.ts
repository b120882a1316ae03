import type { MetricSample } from '../wire/payloads.ts';
import type { Sample } from './store.ts';

/** A sample as it travels. Traffic is not counted per process by the kernel: those two are always 0. */
export function wireSample({ atMs, cpuPercent, rssBytes, readBytes, writtenBytes }: Sample): MetricSample {
  return {
    timestamp: new Date(atMs).toISOString(), cpu_percent: cpuPercent, rss_bytes: rssBytes,
    io_read_bytes: readBytes, io_write_bytes: writtenBytes, net_rx_bytes: 0, net_tx_bytes: 0,
  };
}

/** A line of a spillover file, in systemg 0.33.0's form. */
export function sampleLine(unitHash: string, sample: Sample): string {
  return JSON.stringify({ unit_hash: unitHash, sample: wireSample(sample) });
}
