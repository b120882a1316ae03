import { describe, expect, test } from 'vitest';
import type { UnitView } from '../../machines/view.ts';
import type { UnitStatus } from '../../src/wire/payloads.ts';
import type { Sampler } from '../../src/metrics/sampler.ts';
import { inspectPayload } from '../../src/status/inspect.ts';

const unit = (name: string, hash: string): UnitStatus => ({ name, hash, kind: 'service', health: 'healthy' });
const units = [unit('aaaa', '1111111111111111'), unit('1111111111111111', '2222222222222222')];

/** In which order the outside is asked, and what comes of it. */
async function inspect(asked: string, samples: number) {
  const calls: string[] = [];
  const sampler = {
    inspect: (name: string, count: number) => {
      calls.push(`inspect ${name} ${count}`);
      return Promise.resolve([{ atMs: 1_700_000_000_000, cpuPercent: 1.25, rssBytes: 4096, readBytes: 1, writtenBytes: 2 }]);
    },
  } as unknown as Sampler;
  const payload = await inspectPayload(asked, samples, {
    sampler,
    views: () => units.map(({ name, hash }) => ({ spec: { name, hash } }) as UnitView),
    status: () => {
      calls.push('status');
      return { schema_version: 'status.v1', captured_at: '', overall_health: 'healthy', units };
    },
  });
  return { payload, calls };
}

describe('the answer to Inspect', () => {
  test('goes by the name before it goes by the hash', async () => {
    expect((await inspect('1111111111111111', 5)).payload.unit?.hash).toBe('2222222222222222');
    expect((await inspect('2222222222222222', 5)).payload.unit?.hash).toBe('2222222222222222');
    expect((await inspect('aaaa', 5)).payload.unit?.hash).toBe('1111111111111111');
  });

  test('of a unit nobody knows is null, and nothing is measured for it', async () => {
    expect(await inspect('AAAA', 5)).toEqual({ payload: { unit: null, samples: [] }, calls: ['status'] });
  });

  test('has every key of a sample, and the unit as it is after the readings', async () => {
    const { payload, calls } = await inspect('aaaa', 7);
    expect(calls).toEqual(['inspect aaaa 7', 'status']);
    expect(payload.samples).toEqual([{
      timestamp: '2023-11-14T22:13:20.000Z', cpu_percent: 1.25, rss_bytes: 4096, io_read_bytes: 1, io_write_bytes: 2, net_rx_bytes: 0, net_tx_bytes: 0,
    }]);
  });
});
