import type { Parsed } from './duration.ts';

const powers = ['', 'K', 'M', 'G', 'T'] as const;

export const sizeForm = 'a size such as 512M, 1G or a number of bytes';
export const limitForm = "a non-negative integer, an optional size suffix (e.g. 512M), or 'unlimited'";
export const sizePattern = String.raw`^\s*\d[\d_]*\s*[KMGTkmgt]?[Bb]?\s*$`;
const grammar = /^(\d[\d_]*)\s*([KMGT])?B?$/i;

/** Bytes of `512M`, `1G`, `4096`, `1_000_000`; suffixes are powers of 1024. */
export function parseSize(text: string): Parsed<number> {
  const match = grammar.exec(text.trim());
  if (match === null) return { ok: false, expected: sizeForm };
  const power = powers.findIndex((suffix) => suffix === (match[2] ?? '').toUpperCase());
  const value = Number((match[1] ?? '').replaceAll('_', '')) * 1024 ** power;
  return Number.isSafeInteger(value) ? { ok: true, value } : { ok: false, expected: 'a size below 8192T' };
}

/** A resource limit: a size, or `unlimited` (any case), which is `null`. */
export function parseLimit(text: string): Parsed<number | null> {
  if (text.trim().toLowerCase() === 'unlimited') return { ok: true, value: null };
  const size = parseSize(text);
  return size.ok ? size : { ok: false, expected: limitForm };
}

/** The shortest exact text: `10M`, `1500`. */
export function formatSize(bytes: number): string {
  for (let power = powers.length - 1; power > 0; power--) {
    if (bytes > 0 && bytes % 1024 ** power === 0) return `${bytes / 1024 ** power}${powers[power]}`;
  }
  return String(bytes);
}
