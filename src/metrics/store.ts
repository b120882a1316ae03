import { firstNot } from '../halving.ts';
import type { MetricSample } from '../wire/payloads.ts';

/** One measurement of a unit: all its processes together. */
export interface Sample {
  /** Wall clock. */
  readonly atMs: number;
  /** Percent of one core, on average since the sample before. */
  readonly cpuPercent: number;
  readonly rssBytes: number;
  /** Read from and written to storage since the unit's processes began, as far as they were seen; never falls while the unit runs. */
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Over every sample that is kept. */
export interface Summary {
  readonly latestCpuPercent: number;
  readonly averageCpuPercent: number;
  readonly maxCpuPercent: number;
  readonly latestRssBytes: number;
  readonly averageRssBytes: number;
  readonly maxRssBytes: number;
  readonly samples: number;
}

export interface Limits {
  readonly retentionMs: number;
  readonly maxMemoryBytes: number;
}

/** Samples of all units, the oldest dropped first when they are too old or too many. */
export type SampleStore = ReturnType<typeof openSampleStore>;

/** What one sample counts for in `maxMemoryBytes`, as in systemg 0.33.0. */
export const BYTES_PER_SAMPLE = 56;

/** `onEvict` gets the samples that age or number drove out, not those of forgotten units. */
export function openSampleStore(limits: Limits, onEvict: (unit: string, sample: Sample) => void) {
  const units = new Map<string, Series>();
  let current = limits;
  let total = 0;
  let turn = 0;
  /** Sorted; `null` when the units are not the same any more. */
  let names: readonly string[] | null = null;

  const evict = (unit: string, series: Series): void => {
    const sample = series.shift();
    if (sample === null) return;
    total -= 1;
    onEvict(unit, sample);
  };
  const trim = (unit: string, series: Series): void => {
    const newest = series.at(series.length - 1)?.atMs ?? 0;
    while ((series.at(0)?.atMs ?? newest) < newest - current.retentionMs) evict(unit, series);
  };
  /** One of each unit in turn, in the order of their names. */
  const squeeze = (): void => {
    names ??= [...units.keys()].sort();
    for (; total * BYTES_PER_SAMPLE > current.maxMemoryBytes && total > 0; turn += 1) {
      const name = names[turn % names.length] ?? '';
      const series = units.get(name);
      if (series !== undefined && series.length > 0) evict(name, series);
    }
  };

  return {
    add(unit: string, sample: Sample): void {
      const series = units.get(unit) ?? new Series();
      if (series.length === 0) names = null;
      units.set(unit, series);
      series.push(sample);
      total += 1;
      trim(unit, series);
      if (total * BYTES_PER_SAMPLE > current.maxMemoryBytes) squeeze();
    },
    /** The newest `count`, oldest first. */
    newest: (unit: string, count: number): Sample[] => {
      const series = units.get(unit);
      return series === undefined ? [] : series.slice(Math.max(0, series.length - count), series.length);
    },
    /** At most `count` between two instants in whole milliseconds (both included), spread evenly over them, the first and the last among them. */
    between(unit: string, fromMs: number, toMs: number, count: number): Sample[] {
      const series = units.get(unit);
      if (series === undefined) return [];
      const [first, end] = [series.firstSince(fromMs), series.firstSince(toMs + 1)];
      const found = Math.max(0, end - first);
      if (found <= count || count < 2) return series.slice(Math.max(first, end - count), end);
      return Array.from({ length: count }, (_, index) => series.at(first + Math.round((index * (found - 1)) / (count - 1)))).filter((sample) => sample !== null);
    },
    summary: (unit: string): Summary | null => units.get(unit)?.summary() ?? null,
    setLimits(limitsNow: Limits): void {
      current = limitsNow;
      for (const [unit, series] of units) trim(unit, series);
      squeeze();
    },
    forgetAllBut(kept: ReadonlySet<string>): void {
      for (const [unit, series] of units) {
        if (kept.has(unit)) continue;
        total -= series.length;
        units.delete(unit);
        names = null;
      }
    },
  };
}

/** A sample as it travels. Traffic is not counted per process by the kernel: those two are always 0. */
export function wireSample({ atMs, cpuPercent, rssBytes, readBytes, writtenBytes }: Sample): MetricSample {
  return {
    timestamp: new Date(atMs).toISOString(), cpu_percent: cpuPercent, rss_bytes: rssBytes,
    io_read_bytes: readBytes, io_write_bytes: writtenBytes, net_rx_bytes: 0, net_tx_bytes: 0,
  };
}

const FIELDS = 5;
const CHUNK = 32;

/** A queue of samples as plain numbers: an object each would take twice the memory. */
class Series {
  #chunks: Float64Array[] = [];
  /** Where the first sample is in the first chunk. */
  #head = 0;
  length = 0;

  push(sample: Sample): void {
    const place = this.#head + this.length;
    if (place === this.#chunks.length * CHUNK) this.#chunks.push(new Float64Array(CHUNK * FIELDS));
    const chunk = this.#chunks[Math.floor(place / CHUNK)];
    chunk?.set([sample.atMs, sample.cpuPercent, sample.rssBytes, sample.readBytes, sample.writtenBytes], (place % CHUNK) * FIELDS);
    this.length += 1;
  }

  at(index: number): Sample | null {
    if (index < 0 || index >= this.length) return null;
    const place = this.#head + index;
    const offset = (place % CHUNK) * FIELDS;
    const chunk = this.#chunks[Math.floor(place / CHUNK)];
    const [atMs = 0, cpuPercent = 0, rssBytes = 0, readBytes = 0, writtenBytes = 0] = chunk?.subarray(offset, offset + FIELDS) ?? [];
    return { atMs, cpuPercent, rssBytes, readBytes, writtenBytes };
  }

  slice(from: number, to: number): Sample[] {
    return Array.from({ length: Math.max(0, to - from) }, (_, index) => this.at(from + index)).filter((sample) => sample !== null);
  }

  /** Index of the first sample that is not older; samples are in the order of their times, unless the clock was set back. */
  firstSince(atMs: number): number {
    return firstNot((index) => (this.at(index)?.atMs ?? 0) < atMs, 0, this.length);
  }

  shift(): Sample | null {
    const first = this.at(0);
    if (first === null) return null;
    this.length -= 1;
    this.#head += 1;
    if (this.#head === CHUNK) {
      this.#chunks.shift();
      this.#head = 0;
    }
    return first;
  }

  summary(): Summary | null {
    const latest = this.at(this.length - 1);
    if (latest === null) return null;
    let [cpuSum, cpuMax, rssSum, rssMax] = [0, 0, 0, 0];
    for (let place = this.#head; place < this.#head + this.length; place += 1) {
      const chunk = this.#chunks[Math.floor(place / CHUNK)];
      const offset = (place % CHUNK) * FIELDS;
      const cpu = chunk?.[offset + 1] ?? 0;
      const rss = chunk?.[offset + 2] ?? 0;
      cpuSum += cpu;
      rssSum += rss;
      cpuMax = Math.max(cpuMax, cpu);
      rssMax = Math.max(rssMax, rss);
    }
    return {
      latestCpuPercent: latest.cpuPercent, averageCpuPercent: cpuSum / this.length, maxCpuPercent: cpuMax,
      latestRssBytes: latest.rssBytes, averageRssBytes: Math.round(rssSum / this.length), maxRssBytes: rssMax, samples: this.length,
    };
  }
}
