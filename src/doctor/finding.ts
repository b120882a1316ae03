/** One thing that was looked at. `detail` says what was found; where `ok` is false also what was expected and what to do about it. */
export interface Finding { readonly check: string; readonly ok: boolean; readonly detail: string }

export interface Diagnosis { readonly ok: boolean; readonly findings: readonly Finding[] }

export function agrees(check: string, detail: string): Finding {
  return { check, ok: true, detail };
}

/** `remedy`: what to do about it, as an order. */
export function disagrees(check: string, found: string, expected: string, remedy: string): Finding {
  return { check, ok: false, detail: `found ${found}; expected ${expected}. ${remedy}` };
}
