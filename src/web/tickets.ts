import { list, nullable, oneOf, record, count, string, type Shaped } from '../wire/shape.ts';

/** What became of an act that was ordered in the page: `settled` when the supervisor has answered for every unit of it. */
export const ticket = record({
  id: count, verb: string, units: list(string), state: oneOf('open', 'settled', 'failed'), began_at: string, ended_at: nullable(string), message: string,
});

export interface Ticket extends Shaped<typeof ticket> {}

export type Tickets = ReturnType<typeof openTickets>;

const KEPT = 50;

export function openTickets(onChange: (ticket: Ticket) => void) {
  const tickets = new Map<number, Ticket>();
  let issued = 0;
  const put = (changed: Ticket): Ticket => {
    tickets.set(changed.id, changed);
    for (const { id, state } of tickets.values()) if (tickets.size > KEPT && state !== 'open') tickets.delete(id);
    onChange(changed);
    return changed;
  };
  const now = (): string => new Date().toISOString();
  return {
    /** Oldest first. */
    all: (): readonly Ticket[] => [...tickets.values()],
    open: (verb: string, units: readonly string[], work: () => Promise<{ readonly ok: boolean; readonly message: string }>): Ticket => {
      const opened = put({ id: (issued += 1), verb, units, state: 'open', began_at: now(), ended_at: null, message: '' });
      void work().catch((error: unknown) => ({ ok: false, message: `internal error: ${String(error)}` })).then(({ ok, message }) => {
        put({ ...opened, state: ok ? 'settled' : 'failed', ended_at: now(), message });
      });
      return opened;
    },
  };
}
