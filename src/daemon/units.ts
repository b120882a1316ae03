import { randomInt } from 'node:crypto';
import { createActor, type Actor } from 'xstate';
import { provideSupervisor, supervisorMachine } from '../../machines/supervisor.ts';
import type { AdoptOrder, ServiceSpec, SlotIndex, SupervisorCommand } from '../../machines/types.ts';
import { keepViews, type UnitView } from '../../machines/view.ts';
import { openHookQueues } from '../actors/hooks.ts';
import { makeProbeActor } from '../actors/probe.ts';
import { makeProcessActor } from '../actors/process.ts';
import { openTicketOffice } from '../control/tickets.ts';
import { openRunHistory } from '../cron/history.ts';
import { openSchedule } from '../cron/schedule.ts';
import { readSlots, restoreSlots, writeSlot } from '../compat/slot-file.ts';
import { makeRolloutTaskActor } from '../rollout/task.ts';
import type { Ledger } from '../state/ledger.ts';
import { keepChildren, keepSwitches, noteTokenSeed } from '../state/notes.ts';
import { recover } from '../state/recovery.ts';
import { userName } from '../process/accounts.ts';
import { recoveryOutside, type Found } from './found.ts';
import type { Outputs } from './outputs.ts';
import type { Setting } from './setting.ts';

/** The root actor with all its ports filled, and what stands behind them. */
export type Units = ReturnType<typeof openUnits>;

/** Lines of a failed candidate in which its address is looked for: as many as systemg 0.33.0 looks at. */
const WORDS_OF_CANDIDATE = 50;

export function openUnits(setting: Setting, specs: readonly ServiceSpec[], found: Found, ledger: Ledger, outputs: Outputs) {
  const { clock, environment, softNofile, dropPrivileges, paths, log, onProblem } = setting;
  const outside = { clock, environment, dropPrivileges, onProblem };
  const tickets = openTicketOffice();
  const hooks = openHookQueues(outside);
  const readyBefore = rememberReady(found.adopt);
  const recovery = recoveryOutside(setting);
  const specOf = (unit: string): ServiceSpec | null => root.getSnapshot().context.units.get(unit)?.spec ?? null;
  /** In which slot each blue-green unit was left. */
  const slotsOf = (of: readonly ServiceSpec[]): Readonly<Record<string, SlotIndex>> => readSlots(of, paths.stateDir, onProblem);
  const runs = openRunHistory({
    ledger, log, wallNow: Date.now,
    describe: (unit) => ({ user: specOf(unit)?.privileges.user ?? userName(process.geteuid?.() ?? 0), command: specOf(unit)?.command ?? null }),
  });
  const root: Actor<typeof supervisorMachine> = createActor(provideSupervisor({
    clock, ledger, tickets, hooks, runs, schedule: openSchedule({ clock, wallNow: Date.now, lastRunWallMs: runs.lastRunWallMs }),
    children: keepChildren(ledger),
    process: makeProcessActor({ clock, environment, softNofile, dropPrivileges, onProblem, openOutput: outputs.open }),
    probe: makeProbeActor({ ...outside, announcements: outputs.announcements, wasReady: readyBefore.has }),
    switches: keepSwitches(ledger),
    rolloutTask: makeRolloutTaskActor({
      announcements: outputs.announcements,
      ...outside, recordSlot: (spec, slot) => writeSlot(spec, slot, paths.stateDir),
      lastWords: (unit) => Promise.resolve(outputs.words.of(unit, WORDS_OF_CANDIDATE)),
    }),
    lookup: (unit, target) => {
      const entry = ledger.latest(unit);
      void recover(entry === null ? [] : [entry], recovery).then((orders) => {
        readyBefore.note(orders);
        target.send({ type: 'recovered', at: clock.now(), unit, adopt: orders[0] ?? null });
      });
    },
  }), {
    input: { specs: [...specs, ...found.leaving], tokenSeed: noteTokenSeed(ledger), seed: randomInt(2 ** 31), at: clock.now(), slots: slotsOf(specs) },
  });
  const views = keepViews();
  return {
    root, tickets, hooks, runs, specOf, slotsOf, send: (command: SupervisorCommand): void => root.send(command), views: (): readonly UnitView[] => views(root.getSnapshot()),
    /** Notes again in which slot each is, where the note was removed; true when one was. */
    restoreSlots: (): boolean => {
      const { units, slots } = root.getSnapshot().context;
      return restoreSlots([...units.values()].map(({ spec }) => spec), slots, paths.stateDir);
    },
  };
}

/** Processes that were ready under an earlier supervisor. */
function rememberReady(adopted: readonly AdoptOrder[]): { note(orders: readonly AdoptOrder[]): void; has(unit: string, generation: number): boolean } {
  const ready = new Set<string>();
  const note = (orders: readonly AdoptOrder[]): void => {
    for (const { record, verdict } of orders) if (verdict === 'alive' && record.state === 'running') ready.add(`${record.generation} ${record.unit}`);
  };
  note(adopted);
  return { note, has: (unit, generation) => ready.has(`${generation} ${unit}`) };
}
