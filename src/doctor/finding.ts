/** One thing that was looked at. `detail` says what was found; where `ok` is false also what was expected and what to do about it. */
export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface Diagnosis {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

export interface Disagreement {
  readonly found: string;
  readonly expected: string;
  /** What to do about it, as an order. */
  readonly remedy: string;
}

export function agrees(check: string, detail: string): Finding {
  return { check, ok: true, detail };
}

export function disagrees(check: string, { found, expected, remedy }: Disagreement): Finding {
  return { check, ok: false, detail: `found ${found}; expected ${expected}. ${remedy}` };
}

export function diagnosis(findings: readonly Finding[]): Diagnosis {
  return { ok: findings.every(({ ok }) => ok), findings };
}
