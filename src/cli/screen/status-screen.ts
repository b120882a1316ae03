import type { Refusal } from '../../errors.ts';
import type { JournalRecord, StatusSnapshot } from '../../wire/payloads.ts';
import { clockTime } from '../../words.ts';
import { ask, messageOf, unitOrder, type StatusAnswer } from '../ask.ts';
import type { Call } from '../call.ts';
import { healthExitCode, NOT_SUPERVISED } from '../print/unit.ts';
import { printable } from '../../width.ts';
import { followSupervisor, makeTurns } from '../watch.ts';
import { openHelp, openInspection, openLogs, type Detail } from './details.ts';
import { openPane } from './pane.ts';
import { openSession } from './session.ts';
import { firstModel, press, type Action, type StatusModel } from './status-model.ts';
import { statusView, type StatusView } from './status-view.ts';

export interface StatusScreenInput {
  readonly first: StatusSnapshot;
  readonly color: boolean;
  readonly fullCommands: boolean;
  /** The units to show, asked for anew. */
  refresh(): Promise<StatusAnswer>;
}

/** The live table until the user leaves it; answers with the exit code of the health seen last, or that no supervisor runs any more. */
export function statusScreen(call: Call, input: StatusScreenInput): Promise<number> {
  return new Promise((finish, fail) => {
    let snapshot = input.first;
    let model: StatusModel = firstModel;
    let view: StatusView = { lines: [], names: [], height: 1, top: 0 };
    let message = '';
    let problem = '';
    let isGone = false;
    let news = '';
    let detail: Detail | null = null;
    let over = false;

    const pane = openPane(call, () => draw());

    const draw = (): void => {
      if (over) return;
      const { columns, rows } = session.size();
      if (detail !== null) return session.draw(detail.frame(columns, rows));
      view = statusView({
        snapshot, model, columns, rows, color: input.color, fullCommands: input.fullCommands, top: view.top, message, problem, news,
        pane: (unit, paneRows) => pane.lines(unit, snapshot.units.map(({ name }) => name), { columns, rows: paneRows, color: input.color }),
      });
      if (!model.hasPane) pane.close();
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
      unfollow();
      detail?.close?.();
      pane.close();
      session.close();
    };
    const back = (): void => {
      detail?.close?.();
      detail = null;
      draw();
    };
    const act = (action: Action): void => {
      if (action.kind === 'quit') {
        end();
        finish(isGone ? NOT_SUPERVISED : healthExitCode(snapshot.overall_health));
      } else if (action.kind === 'help') {
        detail = openHelp(input.color);
        draw();
      } else if (action.kind === 'inspect') {
        detail = openInspection(call, { unit: action.unit, color: input.color, draw }, () => session.size().columns);
        guard(refreshDetail());
      } else if (action.kind === 'logs') {
        detail = openLogs(call, { unit: action.unit, color: input.color, draw }, snapshot.units.map(({ name }) => name));
        draw();
      } else {
        guard(order(action.kind, action.unit));
      }
    };
    const order = async (verb: 'start' | 'restart' | 'stop', unit: string): Promise<void> => {
      message = `${verb} ${unit}…`;
      draw();
      const answer = await ask(call, unitOrder(verb, unit));
      message = answer.ok ? messageOf(answer.response) : answer.refusal.message;
      await refresh();
    };
    const refresh = async (): Promise<void> => {
      const answer = await input.refresh();
      if (over) return;
      if (answer.ok) snapshot = answer.snapshot;
      problem = answer.ok ? '' : lost(answer.refusal, snapshot);
      isGone = !answer.ok && answer.refusal.code === 'no-supervisor';
      draw();
    };
    const refreshDetail = async (): Promise<void> => detail?.refresh?.();
    const look = makeTurns(() => (detail === null ? refresh() : refreshDetail()), LEAST_PAUSE_MS, guard);

    const session = openSession((key) => {
      if (detail !== null) {
        if (detail.press(key)) draw();
        else back();
        return;
      }
      const step = press(model, key, view.names, view.height);
      const isSame = step.model === model && message === '';
      message = '';
      model = step.model;
      if (step.action !== null) act(step.action);
      else if (!isSame) draw();
    });
    // The figures change all the time, the rest when something happens.
    const timer = setInterval(look, REFRESH_MS);
    const unfollow = followSupervisor(call, {
      line(line) {
        if (line.kind === 'event') news = newsOf(line.record) ?? news;
        if (line.kind === 'snapshot' && problem !== '') message = 'The supervisor is back.';
        look();
      },
      gone(refusal) {
        problem = lost(refusal, snapshot);
        isGone = refusal.code === 'no-supervisor';
        draw();
      },
      refused: () => {},
    });
    session.onRedraw(draw);
    draw();
  });
}

const REFRESH_MS = 1000;
/** How often a storm of events may refresh the screen. */
const LEAST_PAUSE_MS = 100;

function lost(refusal: Refusal, { captured_at: seen }: StatusSnapshot): string {
  const what = refusal.code === 'no-supervisor' ? 'The supervisor is gone' : refusal.message;
  return `${what}; this is of ${clockTime(seen)}. Waiting for it…`;
}

/** Null: nothing that concerns the user. */
function newsOf({ at, unit, from, to, cause, detail }: JournalRecord): string | null {
  if (unit === null || to === undefined || from === to) return null;
  const code = detail?.['exit_code'] ?? detail?.['signal'];
  const why = cause?.kind === 'exit' && code !== undefined ? `exit ${String(code)}` : cause?.kind;
  return `${clockTime(at)} ${printable(unit)}: ${from ?? '?'} → ${to}${why === undefined ? '' : ` (${why})`}`;
}
