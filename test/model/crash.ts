import type { AdoptOrder, ServiceSpec } from '../../machines/types.ts';
import { whatCounts } from '../../src/state/recovery.ts';
import { identityOf } from '../machines/rig.ts';
import { beginModel, type ModelProcess, type ModelState } from './os.ts';

/** What is left of a unit when its supervisor is killed, and what the next one finds out about it. */
export interface Aftermath {
  /** The new supervisor's unit before it is told, with whatever lives beside it. */
  readonly state: ModelState;
  readonly adopt: AdoptOrder;
}

/** All that may have become of a unit while nobody watched: it went on, or ended, or its start was never carried out. */
export function crash(before: ModelState, spec: ServiceSpec = before.newestSpec): readonly Aftermath[] {
  const { record, process } = before;
  if (record === null || before.removed) return [];
  const owned = record.process;
  if (owned === null) return [{ state: newborn(before, spec, null), adopt: { record, verdict: 'rest' } }];
  const ended: Aftermath = { state: newborn(before, spec, null), adopt: { record, verdict: owned.identity === null ? 'unborn' : 'dead' } };
  if (process === null) return [ended];
  const found = { ...record, process: { ...owned, identity: owned.identity ?? identityOf(7) } };
  const left: ModelProcess = { ...process, state: process.state === 'forking' ? 'alive' : process.state };
  return [ended, { state: newborn(before, spec, left), adopt: { record: found, verdict: 'alive' } }];
}

/** The same found with a record that wants it down, whoever wrote it. */
export function unwanted({ state, adopt }: Aftermath): Aftermath {
  return { state: { ...state, lastCommand: 'stop' }, adopt: { ...adopt, record: { ...adopt.record, wanted: 'down' } } };
}

/** The same found by a start by a person, who wants the unit whatever was recorded; nothing that the start does not take up. */
export function wantedAgain({ state, adopt }: Aftermath): readonly Aftermath[] {
  const now = { at: 0, wallMs: 0, bootId: 'boot' };
  const entries = new Map([[adopt.record.unit, { record: adopt.record, written: now }]]);
  return whatCounts([adopt], { isBack: false, isAlive: () => state.process?.state !== 'leader-dead', entries, specs: [state.newestSpec], now })
    .map((order) => ({ state: { ...state, lastCommand: 'start', restartsSinceForgiven: 0 }, adopt: order }));
}

function newborn({ lastCommand, restartsSinceForgiven, newestSpec }: ModelState, spec: ServiceSpec, process: ModelProcess | null): ModelState {
  const sameDefinition = spec.definition.process === newestSpec.definition.process;
  return {
    ...beginModel(spec, spec.dependsOn.map(({ service }) => service)), process: process === null ? null : { ...process, adopted: true }, lastCommand,
    restartsSinceForgiven: sameDefinition ? restartsSinceForgiven : 0,
  };
}
