import type { StatusSnapshot } from '../../control/payloads.ts';
import { ask, messageOf, type StatusAnswer } from '../ask.ts';
import type { Call } from '../call.ts';
import { healthExitCode } from '../health-exit-code.ts';
import { askInspect, lookAround, reportOf } from '../inspection.ts';
import { inspectReport } from '../print/inspect.ts';
import { followUnit } from './log-view.ts';
import { openPager, type Pager } from './pager.ts';
import { openSession, type Session } from './session.ts';
import { firstModel, press, type Action, type StatusModel } from './status-model.ts';
import { statusView, type StatusView } from './status-view.ts';

export interface StatusScreenInput {
  readonly first: StatusSnapshot;
  readonly color: boolean;
  readonly fullCommands: boolean;
  /** The units to show, asked for anew. */
  refresh(): Promise<StatusAnswer>;
}

/** The live table until its person leaves it; answers with the exit code of the health seen last. */
export function statusScreen(call: Call, input: StatusScreenInput): Promise<number> {
  return new Promise((finish, fail) => {
    let snapshot = input.first;
    let model: StatusModel = firstModel;
    let view: StatusView = { lines: [], names: [], height: 1, top: 0 };
    let message = '';
    let problem = '';
    let detail: Detail | null = null;
    let over = false;

    const draw = (): void => {
      if (over) return;
      const { columns, rows } = session.size();
      if (detail !== null) return session.draw(detail.pager.frame(columns, rows));
      view = statusView({
        snapshot, model, columns, rows, color: input.color, fullCommands: input.fullCommands, top: view.top, message: problem === '' ? message : problem,
      });
      session.draw(view.lines);
    };
    const guard = (work: Promise<void>): void => {
      work.catch((error: unknown) => {
        end();
        fail(error instanceof Error ? error : new Error(String(error)));
      });
    };
    const end = (): void => {
      over = true;
      clearInterval(timer);
      detail?.close();
      session.close();
    };
    const back = (): void => {
      detail?.close();
      detail = null;
      draw();
    };
    const act = (action: Action): void => {
      if (action.kind === 'quit') {
        end();
        finish(healthExitCode(snapshot.overall_health));
      } else if (action.kind === 'inspect') {
        detail = openInspection(call, action.unit, input.color, session, draw);
        guard(detail.refresh());
      } else if (action.kind === 'logs') {
        detail = openLogs(call, action.unit, snapshot.units.map(({ name }) => name), input.color, draw);
      } else {
        guard(order(action.kind, action.unit));
      }
    };
    const order = async (verb: 'start' | 'restart' | 'stop', unit: string): Promise<void> => {
      message = `${verb} ${unit}…`;
      draw();
      const answer = await ask(call, verb === 'restart' ? { kind: 'restart', config: null, service: unit, wait: true } : { kind: verb, service: unit });
      message = answer.ok ? messageOf(answer.response) : answer.refusal.message;
      await refresh();
    };
    const refresh = async (): Promise<void> => {
      const answer = await input.refresh();
      if (over) return;
      if (answer.ok) snapshot = answer.snapshot;
      problem = answer.ok ? '' : `${answer.refusal.message} (shown: ${snapshot.captured_at})`;
      draw();
    };

    const session = openSession((key) => {
      if (detail !== null) {
        if (detail.pager.press(key)) draw();
        else back();
        return;
      }
      message = '';
      const step = press(model, key, view.names, view.height);
      model = step.model;
      if (step.action === null) draw();
      else act(step.action);
    });
    let busy = false;
    const timer = setInterval(() => {
      // A slow answer is not asked for twice.
      if (busy) return;
      busy = true;
      guard((detail === null ? refresh() : detail.refresh()).finally(() => {
        busy = false;
      }));
    }, REFRESH_MS);
    session.onRedraw(draw);
    draw();
  });
}

const REFRESH_MS = 1000;
/** What the charts of the inspection look back on. */
const WINDOW_MS = 60_000;

/** What lies over the table. */
interface Detail {
  readonly pager: Pager;
  refresh(): Promise<void>;
  close(): void;
}

function openInspection(call: Call, unit: string, color: boolean, session: Session, draw: () => void): Detail {
  const pager = openPager(unit, color, false);
  return {
    pager,
    async refresh() {
      const answer = await askInspect(call, unit, WINDOW_MS);
      if (!answer.ok) pager.show([answer.refusal.message]);
      else if (answer.payload.unit === null) pager.show([`Service '${unit}' not found.`]);
      else {
        const report = reportOf(answer.payload.unit, answer.payload.samples, WINDOW_MS, await lookAround(answer.payload.unit));
        pager.show(inspectReport(report, { width: session.size().columns, color, glyphs: true }));
      }
      draw();
    },
    close: () => {},
  };
}

function openLogs(call: Call, unit: string, units: readonly string[], color: boolean, draw: () => void): Detail {
  const pager = openPager(`logs of ${unit}`, color, true);
  const close = followUnit(call, unit, units, (lines) => {
    pager.show(lines.length === 0 ? ['(nothing yet)'] : lines);
    draw();
  });
  return { pager, refresh: () => Promise.resolve(), close };
}
