import type { CronExecutionSummary, UnitStatus } from '../../wire/payloads.ts';

/** Of a cron unit the newest run: one that was left out, since the run before it went on, is none. */
export function newestRun(cron: UnitStatus['cron']): CronExecutionSummary | undefined {
  const { last_run: last, recent_runs: recent = [] } = cron ?? {};
  return (last === undefined ? recent : [last, ...recent]).find(({ status }) => status !== 'OverlapError');
}
