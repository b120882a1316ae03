/** What can be dropped on the time line, as events of `sysg simulate`. */
export const faultKinds = [
  { kind: 'exit', label: 'exits with 1', mark: '✗', event: (unit: string, at: string) => `${unit}@${at}=exit:1` },
  { kind: 'clean', label: 'exits with 0', mark: '✓', event: (unit: string, at: string) => `${unit}@${at}=exit:0` },
  { kind: 'kill', label: 'is killed (SIGKILL)', mark: '☠', event: (unit: string, at: string) => `${unit}@${at}=signal:SIGKILL` },
  { kind: 'check-fail', label: 'check begins to fail', mark: '♡', event: (unit: string, at: string) => `${unit}@${at}=check:fail` },
  { kind: 'check-ok', label: 'check passes again', mark: '♥', event: (unit: string, at: string) => `${unit}@${at}=check:ok` },
  { kind: 'start', label: 'start is ordered', mark: '▶', event: (unit: string, at: string) => `@${at}=start ${unit}` },
  { kind: 'stop', label: 'stop is ordered', mark: '■', event: (unit: string, at: string) => `@${at}=stop ${unit}` },
  { kind: 'restart', label: 'restart is ordered', mark: '↻', event: (unit: string, at: string) => `@${at}=restart ${unit}` },
] as const;

export type FaultKind = (typeof faultKinds)[number]['kind'];

export interface Fault { readonly id: number; readonly unit: string; readonly atMs: number; readonly kind: FaultKind }

export function kindOf(kind: FaultKind): (typeof faultKinds)[number] {
  return faultKinds.find((each) => each.kind === kind) ?? faultKinds[0];
}

/** As on the command line: `api@3s=exit:1`. */
export function eventOf({ unit, atMs, kind }: Fault): string {
  return kindOf(kind).event(unit, `${Math.round(atMs)}ms`);
}
