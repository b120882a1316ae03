import { describe, expect, test } from 'vitest';
import type { CronSpec, ServiceSpec } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import { counted } from './counts.ts';
import { explore } from './explore.ts';
import { beginJob, brokenInJob, jobEvents, keyOfJob, makeJobRestFinder, nameOfJobEvent, stepJob } from './job-os.ts';

const cron = (overlap: CronSpec['overlap'], timeoutMs: number | null): CronSpec => ({ expression: '0 * * * * *', timezone: 'UTC', overlap, timeoutMs, catchUp: 'none' });
const settings = (['skip', 'queue', 'replace'] as const).map((overlap) => ({
  title: `overlap ${overlap}`, reloads: overlap === 'queue', tickets: overlap === 'queue' ? 2 : 1,
  spec: specOf({ cron: cron(overlap, overlap === 'skip' ? 60_000 : null) }), changed: specOf({ definition: { process: 'p2', policy: 'q1' }, cron: cron(overlap, overlap === 'skip' ? 60_000 : null) }),
}));

describe('every state a cron unit and its runner can reach together', () => {
  test.each(settings)('$title', ({ title, tickets, reloads, spec, changed }: { title: string; tickets: number; reloads: boolean; spec: ServiceSpec; changed: ServiceSpec }) => {
    const unrestOf = makeJobRestFinder();
    const explored = explore({
      begin: [beginJob(spec)], keyOf: keyOfJob, describe: nameOfJobEvent, step: stepJob, events: (state) => jobEvents(state, reloads ? [changed] : [spec], tickets),
      wrong: (state) => brokenInJob(state) ?? unrestOf(state),
    });
    counted(`job: ${title}`, explored);
    expect(explored.complete).toBe(true);
  });
});
