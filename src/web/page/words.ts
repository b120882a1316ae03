/** `12s`, `5m 3s`, `2h 5m`, `3d 4h`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${whole % 60 === 0 ? '' : ` ${whole % 60}s`}`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${Math.floor(whole / 60) % 60 === 0 ? '' : ` ${Math.floor(whole / 60) % 60}m`}`;
  return `${Math.floor(whole / 86_400)}d${Math.floor(whole / 3600) % 24 === 0 ? '' : ` ${Math.floor(whole / 3600) % 24}h`}`;
}

/** In steps of 1024: `1.5 MiB`. */
export function bytes(count: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, count)) / 10)));
  return power === 0 ? `${count} B` : `${(count / 1024 ** power).toFixed(1)} ${['', 'K', 'M', 'G', 'T'][power] ?? ''}iB`;
}

/** `14:03:05`, of this browser's zone. */
export function clock(time: string | number, withMs = false): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  const text = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMs ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
}

/** With the date where that is not today. */
export function moment(time: string | number): string {
  const date = new Date(time);
  return date.toDateString() === new Date().toDateString() ? clock(time) : `${date.toLocaleDateString('sv')} ${clock(time)}`;
}

export function offset(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 10) / 100}s` : span(ms / 1000);
}

/** What is for terminals and would be noise here: ECMA-48 control sequences, and control characters but the tab. */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text
    .replaceAll(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g, '')
    .replaceAll(/[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g, '\u00b7');
}
