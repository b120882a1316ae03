import type { SpawnedChild, SpawnedProcessNode, UnitHealth, UnitPhase, UnitStatus } from '../../wire/payloads.ts';
import { span } from '../../words.ts';
import { rolloutText } from './rollout.ts';
import { fit, printable } from '../../width.ts';

/** The unit of that name, else of that hash. */
export function unitNamed<Unit extends { readonly name: string; readonly hash: string }>(units: readonly Unit[], word: string | null): Unit | undefined {
  return units.find(({ name }) => name === word) ?? units.find(({ hash }) => hash === word);
}

/** The phase of a unit; where the supervisor is systemg 0.33.0's, which has none, what process and lifecycle say. */
export function phaseOf({ phase, process, lifecycle, kind }: Pick<UnitStatus, 'phase' | 'process' | 'lifecycle' | 'kind'>): UnitPhase {
  if (phase !== undefined) return phase;
  if (process?.state === 'running') return 'running';
  if (kind === 'cron') return 'waiting';
  // systemg 0.33.0 keeps the pid of a process that crashed.
  return lifecycle === 'exited_with_error' || process !== undefined ? 'failed' : 'stopped';
}

/** systemg 0.33.0's exit codes of `status` and `inspect`. */
export function healthExitCode(health: UnitHealth): number {
  return health === 'failing' ? 2 : health === 'degraded' ? 1 : 0;
}

/** Of `status` and `inspect` while no supervisor runs, as systemctl(1) has it for a program that does not run. */
export const NOT_SUPERVISED = 3;

/** One word for the state of a unit. Units of a systemg 0.33.0 supervisor have no phase. */
export function stateOf(unit: UnitStatus): string {
  const atRest = unit.lifecycle === 'exited_successfully' ? 'completed' : unit.lifecycle === 'skipped' ? 'skipped' : null;
  if (unit.process?.halted === true && (unit.phase === undefined || unit.phase === 'running')) return 'halted';
  if (unit.phase === 'running' && unit.ready === false) return 'unready';
  if (unit.phase === 'waiting' && unit.wanted === 'down') return 'suspended';
  if (unit.phase !== undefined) return unit.phase === 'stopped' ? (atRest ?? 'stopped') : unit.phase;
  if (unit.process !== undefined) return unit.process.state;
  return atRest ?? (unit.lifecycle === 'exited_with_error' ? 'failed' : (unit.lifecycle ?? 'unknown'));
}

/** The state, with what the unit waits for and how long; while it is being replaced, how far that is. */
export function stateText(unit: UnitStatus, nowMs: number): string {
  const word = stateOf(unit);
  if (unit.rollout !== undefined && unit.phase !== 'stopping') return rolloutText(unit.rollout);
  const [first, ...others] = unit.waits_for ?? [];
  if (word === 'starting' && first !== undefined) return fit(`waits for ${printable(first.unit)}${others.length === 0 ? '' : ` +${others.length}`}`, 24);
  const left = unit.next_at === undefined ? Number.NaN : (Date.parse(unit.next_at) - nowMs) / 1000;
  return (word === 'backoff' || word === 'waiting') && left > 0 ? `${word} ${span(Math.ceil(left))}` : word;
}

/** Of a unit that does not run the latest figures are of a process that is gone. */
export function latest({ process, metrics }: UnitStatus): UnitStatus['metrics'] {
  return process === undefined ? undefined : metrics;
}

/** A unit in transition to another state. */
export function isMoving(unit: UnitStatus): boolean {
  return (unit.phase === 'starting' && (unit.waits_for ?? []).every(({ lost }) => lost === undefined)) || unit.phase === 'stopping'
    || (unit.phase === 'running' && unit.ready === false) || unit.rollout !== undefined;
}

/** One mark for each state of a unit, for terminals. */
export function glyphOf(state: string): string {
  return GLYPHS.get(state) ?? '·';
}

/** States that need attention come first, and running units before resting ones. */
export function attentionOf(state: string): number {
  return [...GLYPHS.keys()].indexOf(state) >>> 0;
}

const GLYPHS = new Map([
  ['failed', '✗'], ['zombie', '✗'], ['missing', '✗'], ['backoff', '↻'], ['unready', '◐'], ['halted', '◐'], ['starting', '◐'], ['stopping', '◑'],
  ['running', '●'], ['waiting', '◷'], ['completed', '✓'], ['suspended', '○'], ['stopped', '○'], ['skipped', '○'],
]);

/** The program's own name, without its directory and arguments. */
export function programName(command: string): string {
  const program = printable(command.split(' ', 1)[0] ?? '');
  return program.slice(program.lastIndexOf('/') + 1) || program || '-';
}

/** A process of a unit, with its place in the drawn tree. */
export interface Branch { readonly child: SpawnedChild; readonly prefix: string }

/** Every process of a tree, parents before their children. */
export function branches(nodes: readonly SpawnedProcessNode[] = [], indent = ''): Branch[] {
  return nodes.flatMap(({ child, children }, index) => {
    const [here, below] = index === nodes.length - 1 ? ['└─ ', '   '] : ['├─ ', '│  '];
    return [{ child, prefix: indent + here }, ...branches(children, indent + below)];
  });
}
