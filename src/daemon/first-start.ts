import type { ServiceSpec } from '../../machines/types.ts';
import { viewUnit } from '../../machines/view.ts';
import type { SettledUnit } from '../wire/launch.ts';
import type { DaemonSetting } from './setting.ts';
import { takeUp, type Supervision } from './supervision.ts';
import type { Units } from './units.ts';

/** Hands the machines what was found, starts what is to be started, and reports to the command that waits how each unit came out. */
export function startUnits(setting: DaemonSetting, specs: readonly ServiceSpec[], supervision: Supervision): void {
  const { clock, options, parent } = setting;
  const { found, units } = supervision;
  const { root, send, tickets } = units;
  const known = new Set(found.adopt.map(({ record }) => record.unit));
  takeUp(setting, supervision);
  if (found.leaving.length > 0) send({ type: 'reload', at: clock.now(), specs });
  // What was stopped by hand stays so when the supervisor alone begins again.
  const first = options.service !== null
    ? [options.service].filter((name) => !parent.again || !known.has(name))
    : specs.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  const settled = (name: string, error: string | null): SettledUnit => {
    const view = viewUnit(root.getSnapshot(), name);
    const pid = view?.process?.identity?.pid;
    // It came up, and fell before the others were through; or it was left down for fear of a second copy.
    const fell = view?.phase === 'failed' || view?.phase === 'backoff' ? view.reason : null;
    const leftDown = view?.phase === 'stopped' ? found.taken.leftDown.get(name) : undefined;
    const fault = error ?? fell ?? leftDown ?? null;
    return { name, phase: view?.phase ?? 'stopped', ...(pid !== undefined && { pid }), ...(fault !== null && { error: fault }) };
  };
  void tickets.open(first, (ticket) => send({ type: 'start', at: clock.now(), ticket, units: first, origin: { kind: 'boot', by: null } })).then(async (settlements) => {
    await checked(units, [...known]);
    const errors = new Map(settlements.map(({ unit, error }) => [unit, error]));
    parent.report({ event: 'settled', units: [...known, ...errors.keys()].map((name) => settled(name, errors.get(name) ?? null)) });
    parent.hangUp();
  });
}

/** Resolves when the checks of processes that were taken over have said what they are. */
function checked({ root }: Pick<Units, 'root'>, names: readonly string[]): Promise<void> {
  const pending = (): boolean => names.some((name) => {
    const view = viewUnit(root.getSnapshot(), name);
    return view?.phase === 'starting' && view.process?.identity != null;
  });
  return new Promise((resolve) => {
    if (!pending()) return resolve();
    const following = root.subscribe(() => {
      if (pending()) return;
      following.unsubscribe();
      resolve();
    });
  });
}
