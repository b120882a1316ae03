/** What systemg 0.33.0 takes as a sign that the address is taken, in any case of letters. */
const phrases = ['address already in use', 'os error 48', 'os error 98', 'eaddrinuse'] as const;

/** Whether the last lines a process wrote say that its address was in use. */
export function saysAddressInUse(lines: readonly string[]): boolean {
  const text = lines.join('\n').toLowerCase();
  return phrases.some((phrase) => text.includes(phrase));
}
