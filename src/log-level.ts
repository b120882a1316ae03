/** From nothing to everything. */
export const logLevels = ['off', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

/** `warn`, `WARN` or `2`; null for anything else. */
export function parseLogLevel(text: string): LogLevel | null {
  const word = text.trim().toLowerCase();
  const numbered = /^[0-5]$/.test(word) ? logLevels[Number(word)] : undefined;
  return numbered ?? logLevels.find((level) => level === word) ?? null;
}

/**
 * The level of RUST_LOG: directives separated by commas, `info` or `systemg::daemon=debug`. Of those that speak of this
 * program the most talkative counts, since one level serves all modules. Null when none does.
 */
export function levelOfRustLog(text: string): LogLevel | null {
  let found: LogLevel | null = null;
  for (const directive of text.split(',')) {
    const [target, level, ...more] = directive.split('=').map((part) => part.trim());
    if (target === undefined || more.length > 0) continue;
    const ours = /^(systemg|sysg)(::|$)/.test(target);
    const meant = level === undefined ? parseLogLevel(target) ?? (ours ? 'trace' : null) : ours ? parseLogLevel(level) : null;
    if (meant !== null && (found === null || includes(meant, found))) found = meant;
  }
  return found;
}

/** Whether a log of this level shows records of that one. */
export function includes(level: LogLevel, record: LogLevel): boolean {
  return logLevels.indexOf(record) <= logLevels.indexOf(level);
}
