import type { UnitStatus } from '../../wire/payloads.ts';

type Run = NonNullable<NonNullable<UnitStatus['cron']>['last_run']>;

/** Of a cron unit the newest run: one that was left out, since the run before it went on, is none. */
export function newestRun(cron: UnitStatus['cron']): Run | undefined {
  const { last_run: last, recent_runs: recent = [] } = cron ?? {};
  return (last === undefined ? recent : [last, ...recent]).find(({ status }) => status !== 'OverlapError');
}
