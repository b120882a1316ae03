import * as words from '../../words.ts';
import type { UnitRow } from '../unit-row.ts';

export { alsoIn, counted, span } from '../../words.ts';

/** In steps of 1024: `1.5 MiB`. */
export function bytes(count: number): string {
  return words.bytes(count, 'iec');
}

/** `14:03:05`, of this browser's zone. */
export function clock(time: string | number, withMs = false): string {
  return withMs ? words.preciseTime(time).slice(-'14:03:05.123'.length) : words.clockTime(time);
}

/** With the date where that is not today. */
export function moment(time: string | number): string {
  return new Date(time).toDateString() === new Date().toDateString() ? clock(time) : words.localTime(time);
}

export function offset(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 10) / 100}s` : words.span(ms / 1000);
}

/** What is for terminals and would be noise here: ECMA-48 control sequences, and control characters but the tab. */
export function plain(text: string): string {
  return text.replaceAll(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g, '')
    .replaceAll(/[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g, '\u00b7');
}

/** Since when a unit is as it is. A phase begins anew under each supervisor; of what runs the process counts, which goes on. */
export function sinceOf({ phase, since, started_at: started }: Pick<UnitRow, 'phase' | 'since' | 'started_at'>): string | undefined {
  return phase === 'running' ? (started ?? since) : since;
}
