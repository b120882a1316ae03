import type { ServiceSpec } from '../../machines/types.ts';
import { viewUnit } from '../../machines/view.ts';
import { loadNative } from '../native/load.ts';
import type { SettledUnit } from '../wire/launch.ts';
import type { Outdated } from './outdated.ts';
import type { DaemonSetting } from './setting.ts';
import { takeUp, type Supervision } from './supervision.ts';

/**
 * Hands the machines what was found, starts what is to be started, and reports to the command that waits how each unit came out. A start by a person or by
 * a boot script starts everything, which what was adopted answers when it is up; a supervisor that its guardian brought back starts what is new alone.
 */
export function startUnits(setting: DaemonSetting, { specs, hasOtherKinds }: Outdated, supervision: Supervision, onDone: () => void): void {
  const { clock, options: { services }, parent, secrets: { mask } } = setting;
  const { found: { adopt, leaving, taken: { leftDown } }, units: { root, send, tickets }, records: { projection, request } } = supervision;
  // A supervisor that its guardian brought back was asked for by nobody.
  const [unit = null, ...others] = services;
  const several = others.length > 0 && { units: services };
  if (!parent.again) request({ command: 'start', unit: several ? null : unit, asker: { uid: process.getuid?.() }, detail: { supervisor_pid: process.pid, ...several } });
  takeUp(setting, supervision);
  if (leaving.length > 0 || hasOtherKinds) send({ type: 'reload', at: clock.now(), specs });
  const meant = specs.filter(({ name }) => services.length === 0 || services.includes(name)).map(({ name }) => name);
  const known = new Set(adopt.map(({ record }) => record.unit));
  // A start would queue another run of a cron unit whose run is being ended.
  const goesOn = ({ name, cron }: ServiceSpec): boolean => known.has(name) && (parent.again || cron !== null);
  const first = specs.filter((spec) => meant.includes(spec.name) && !leftDown.has(spec.name) && !goesOn(spec)).map(({ name }) => name);
  const settled = (name: string, error: string | null): SettledUnit => {
    const view = viewUnit(root.getSnapshot(), name);
    const pid = view?.process?.identity?.pid;
    // It came up, and fell before the others were through; or it was left down for fear of a second copy.
    const fell = view?.phase === 'failed' || view?.phase === 'backoff' ? view.reason : null;
    const fault = error ?? fell ?? leftDown.get(name) ?? null;
    return { name, phase: view?.phase ?? 'stopped', ...(pid !== undefined && { pid }), ...(fault !== null && { error: mask(fault) }) };
  };
  void tickets.open(first, (ticket) => send({ type: 'start', at: clock.now(), ticket, units: first, origin: { kind: 'boot', by: null } })).then((settlements) => {
    const errors = new Map(settlements.map(({ unit, error }) => [unit, error]));
    projection.flush();
    parent.report({ event: 'settled', units: [...known, ...meant.filter((name) => !known.has(name))].map((name) => settled(name, errors.get(name) ?? null)) });
    parent.hangUp();
    // Not before: no service waits for what makes later ones cheaper.
    void loadNative();
    onDone();
  });
}
