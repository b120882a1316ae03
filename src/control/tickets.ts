import type { TicketPort } from '../../machines/ports.ts';
import type { Settlement } from '../../machines/types.ts';

/** The counter where a command waits until every unit it named has answered for itself. */
export interface TicketOffice extends TicketPort {
  /** Resolves with one settlement per unit; `issue` sends the command with its ticket. */
  open(units: readonly string[], issue: (ticket: number) => void): Promise<readonly Settlement[]>;
}

interface OpenTicket {
  readonly owing: Set<string>;
  readonly settled: Settlement[];
  readonly resolve: (settlements: readonly Settlement[]) => void;
}

/** The unit that a request comes out of. */
export interface Caller {
  readonly unit: string;
  /** The request comes from the service itself, which is not ready yet; false: from a hook, a check or a command that prepares the start. */
  readonly isService: boolean;
}

export function openTicketOffice(): TicketOffice {
  const tickets = new Map<number, OpenTicket>();
  let issued = 0;

  const settle = (settlement: Settlement): void => {
    const ticket = tickets.get(settlement.ticket);
    if (ticket === undefined || !ticket.owing.delete(settlement.unit)) return;
    ticket.settled.push(settlement);
    if (ticket.owing.size > 0) return;
    tickets.delete(settlement.ticket);
    ticket.resolve(ticket.settled);
  };

  return {
    settle,
    open: (units, issue) => new Promise((resolve) => {
      if (units.length === 0) return resolve([]);
      const id = (issued += 1);
      tickets.set(id, { owing: new Set(units), settled: [], resolve });
      issue(id);
    }),
  };
}
