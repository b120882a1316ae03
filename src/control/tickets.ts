import { withDependencies } from '../../machines/order.ts';
import type { TicketPort } from '../../machines/ports.ts';
import type { SupervisorSnapshot } from '../../machines/supervisor.ts';
import type { Settlement } from '../../machines/types.ts';
import type { Exchange } from './connection.ts';

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

/** How the answer to one request comes about. */
export interface Settling {
  /**
   * Sends a command and waits until each unit has answered. Null: the command was accepted and goes on, which is all that a client gets to know that
   * does not wait, and one that a unit may be waiting for, unless the units have answered before the client is identified.
   */
  settle(exchange: Exchange, options: { wait?: boolean | undefined }, units: readonly string[], issue: (ticket: number) => void): Promise<readonly Settlement[] | null>;
  /** A service that is not ready yet may wait for all that does not wait for the service. */
  isHeldUp(caller: Caller | null, units: readonly string[]): boolean;
}

export interface SettlingOutside {
  readonly tickets: Pick<TicketOffice, 'open'>;
  snapshot(): SupervisorSnapshot;
  /** Null: the client is no process that a unit may be waiting for. */
  callerOf(exchange: Exchange): Promise<Caller | null>;
}

export function makeSettling({ tickets, snapshot, callerOf }: SettlingOutside): Settling {
  const isHeldUp: Settling['isHeldUp'] = (caller, units) =>
    caller !== null && (!caller.isService || withDependencies(snapshot().context.units, units).has(caller.unit));
  return {
    isHeldUp,
    settle: async (exchange, { wait = true }, units, issue) => {
      const caller = wait ? callerOf(exchange) : null;
      const settled = tickets.open(units, issue);
      return caller === null ? null : Promise.race([settled, caller.then((found) => (isHeldUp(found, units) ? null : settled))]);
    },
  };
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
