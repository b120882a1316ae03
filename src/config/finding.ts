/** Something to say about a place in the source. `note`: what 0.33.0 would have made of it; said by `validate` only. */
export interface Finding {
  readonly level: 'problem' | 'warning' | 'note';
  readonly offset: number;
  readonly path: readonly string[];
  readonly message: string;
  /** Something is missing, which a broken syntax may be the cause of. */
  readonly absent: boolean;
}

export function complainAt(findings: Finding[], offset: number, path: readonly string[], message: string): void {
  findings.push({ level: 'problem', offset, path, message, absent: false });
}

/** The same thing said of the same place once; an alias or a default is read once for each of its users. */
export function distinct(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map<string, Finding>();
  for (const finding of findings) {
    const identity = `${finding.offset} ${finding.level} ${finding.message}`;
    if (!seen.has(identity)) seen.set(identity, finding);
  }
  return [...seen.values()].toSorted((left, right) => left.offset - right.offset);
}

/** A name as shown in messages, `'web'`; control characters escaped. */
export function quote(text: string): string {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text).slice(1, -1).replaceAll('\\"', '"');
  return `'${shown}'`;
}

/** `services.web.env`; a key that is not a plain word is quoted. */
export function formatPath(path: readonly string[]): string {
  return path.map((key) => (/^[\p{L}\p{N}_@%+-]+$/u.test(key) ? key : JSON.stringify(key))).join('.');
}

/** `'a', 'b' or 'c'` */
export function oneOf(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
