import { dirname } from 'node:path';
import type { AdoptOrder, ChildRecord, ProcessIdentity, ServiceSpec, UnitRecord } from '../../machines/types.ts';
import { findChild } from '../process/children.ts';
import { bootId } from '../process/boot.ts';
import { isAlive } from '../process/identity.ts';
import { scan } from '../process/scan.ts';
import { asideSpec, isAside, recover, type RecoveryOutside, whatCounts, withoutDoubles } from '../state/recovery.ts';
import type { ReadConfig } from '../control/outside.ts';
import type { Ledger } from '../state/ledger.ts';
import { keepChildren, recoverChildren } from '../state/notes.ts';
import { noteRecordedRuns } from '../compat/recorded.ts';
import { takeOver, type Takeover } from '../compat/takeover.ts';
import { plainService } from '../config/service.ts';
import { firstConfigPath } from '../config-path.ts';
import type { Setting } from './setting.ts';

/** The units that are configured, and by which file. */
export type UnitsConfig = Pick<Extract<ReadConfig, { ok: true }>, 'path' | 'specs'>;

/** What earlier supervisors left behind, and what is to become of it. */
export interface Found {
  /** Of configured units. */
  readonly adopt: readonly AdoptOrder[];
  /** Of units that still run and are configured no more, or are the other instance of one that was being replaced: to be ended. */
  readonly departed: readonly AdoptOrder[];
  /** What those are, for as long as it takes. */
  readonly leaving: readonly ServiceSpec[];
  readonly children: readonly ChildRecord[];
  /** Children whose service is gone. */
  readonly strays: readonly ChildRecord[];
  readonly taken: Takeover;
}

export function recoveryOutside({ clock }: Setting): RecoveryOutside {
  return {
    scan, now: () => ({ at: clock.now(), wallMs: Date.now(), bootId: bootId() }),
    // A child that ended while its unit had no actor still has its exit code to report.
    isAlive: (identity: ProcessIdentity) => findChild(identity) !== null || isAlive(identity),
  };
}

/** `isBack`: the guardian has brought this supervisor back, or its units are to be ended; otherwise everything is wanted. */
export async function findWhatRuns(setting: Setting, ledger: Ledger, { path, specs }: UnitsConfig, isBack: boolean): Promise<Found> {
  const { paths, environment, log, secrets, onProblem } = setting;
  const recovery = recoveryOutside(setting);
  const known = ledger.clean ? [] : await recover(ledger.entries.values(), recovery);
  const taken = takeOver({
    stateDir: paths.stateDir, specs, ledger, found: whatCounts(known, { isBack, isAlive: recovery.isAlive, entries: ledger.entries, specs, now: recovery.now() }), environment, uid: process.geteuid?.() ?? 0, now: recovery.now, onProblem,
    onReport: (text) => log.warn('sysg::takeover', text), mask: secrets.mask,
  });
  const configured = new Set(specs.map(({ name }) => name));
  const orders = withoutDoubles(taken.orders);
  const strangers = orders.filter(({ record }) => !configured.has(record.unit));
  const departed = strangers.filter(({ verdict }) => verdict === 'alive');
  for (const { record, verdict } of strangers) if (verdict !== 'alive') ledger.forget(record.unit);
  // Should this supervisor die before every unit has a record of its own, the next one must not take up what counts no more.
  const counts = new Set(orders.map(({ record }) => record.unit));
  for (const unit of ledger.entries.keys()) if (!counts.has(unit) && (!isBack || isAside(unit))) ledger.forget(unit);

  noteRecordedRuns(ledger, taken, specs);
  const { recordChild, forgetChild } = keepChildren(ledger);
  for (const record of taken.children) recordChild(record);
  const children = await recoverChildren(ledger.meta, taken.orders, { ...recovery, onProblem });
  for (const id of [...children.gone, ...children.stray.map((record) => record.id)]) forgetChild(id);
  return {
    adopt: orders.filter(({ record }) => configured.has(record.unit)), departed,
    leaving: departed.map(({ record }) => asideSpec(record.unit, specs) ?? departedSpec(record, dirname(firstConfigPath(path)))),
    children: children.adopt, strays: children.stray, taken,
  };
}

/** Stands for a unit that still runs but is configured no more, for as long as it takes to end it. */
function departedSpec({ unit, hash, definition }: UnitRecord, projectDir: string): ServiceSpec {
  return { ...plainService(unit, projectDir, { command: '', launch: { kind: 'shell', script: 'exit 1' } }), hash, definition, dependsOn: [] };
}
