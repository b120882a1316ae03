import type { SupervisorSnapshot } from '../../machines/supervisor.ts';
import type { ProcessIdentity, ServiceSpec, SignalName, SlotIndex, SupervisorCommand } from '../../machines/types.ts';
import type { KeptConfig } from '../config/kept.ts';
import type { Refused } from '../errors.ts';
import type { AcceptedRequest, Asker } from '../journal/request-record.ts';
import type { MetricsSpec } from '../metrics-spec.ts';
import type { InspectPayload, JournalRecord, StatusSnapshot } from '../wire/payloads.ts';
import type { RequestOf } from '../wire/requests.ts';
import type { Response } from '../wire/responses.ts';
import type { Exchange } from './connection.ts';
import type { Caller, TicketOffice } from './tickets.ts';

/** A configuration that was read, or why it was refused, in the words for a client. */
export type ReadConfig =
  | {
    readonly ok: true;
    readonly path: string;
    /** Also of the units beside the file, which were started from the command line alone. */
    readonly specs: readonly ServiceSpec[];
    /** The names of those. */
    readonly adHoc: ReadonlySet<string>;
    readonly metrics: MetricsSpec | null;
    /** Of the file alone. */
    readonly kept: KeptConfig;
  }
  /** `error`: for a client, with 0.33.0's prefix. */
  | { readonly ok: false; readonly problems: string; readonly error: string };

export interface RouteOutside {
  readonly tickets: Pick<TicketOffice, 'open'>;
  snapshot(): SupervisorSnapshot;
  /** Null: the client is no process that a unit may be waiting for. */
  callerOf(exchange: Exchange): Promise<Caller | null>;
  now(): number;
  send(command: SupervisorCommand): void;
  status(): StatusSnapshot;
  /** The newest `samples` of a unit by name or hash. */
  inspect(unit: string, samples: number): Promise<InspectPayload>;
  /** Null: the file in use, read again. Relative paths are taken against its directory. */
  readConfig(path: string | null): ReadConfig;
  /** A service that is configured and was left out for its profiles, with what it needs; null: there is none of that name. */
  summon(service: string): Extract<ReadConfig, { ok: true }> | null;
  /** From now on this file is the one in use; new units get what they need outside the machines. */
  adoptConfig(config: Extract<ReadConfig, { ok: true }>): void;
  /** Units beside the configuration. */
  readonly adHoc: AdHocPort;
  /** In which slot each blue-green unit was left. */
  slots(specs: readonly ServiceSpec[]): Readonly<Record<string, SlotIndex>>;
  isSignal(name: string): name is SignalName;
  /** Why the process would not get a signal now; null: nothing speaks against it. */
  signalObstacle(process: ProcessIdentity): string | null;
  /** Who asked, as far as that can be known; requests get their answers in the order in which they came. */
  askerOf(exchange: Exchange): Promise<Asker>;
  /** Records a request that is accepted, before anything follows from it. */
  record(request: AcceptedRequest): void;
  /** Ends this supervisor for the sake of the next one as soon as the answer is out. Why it cannot, or null. */
  handOver(): string | null;
  spawn(request: RequestOf<'spawn'>, exchange: Exchange): Promise<Response>;
  history(request: RequestOf<'history'>): readonly JournalRecord[];
  /** These write their answers themselves. */
  logs(request: RequestOf<'logs'>, exchange: Exchange): Promise<null>;
  watch(request: RequestOf<'watch'>, exchange: Exchange): Promise<null>;
}

/** Commands that run as units of their own. */
export interface AdHocPort {
  /** A configuration for the command. `isKnown`: the unit is there and runs the same. */
  add(order: { readonly name: string; readonly command: readonly string[]; readonly directory: string }): { readonly ok: true; readonly spec: ServiceSpec; readonly isKnown: boolean } | Refused;
  has(unit: string): boolean;
  /** Takes the unit off the list. Why that cannot be done, or null. */
  forget(unit: string): string | null;
}

/** Records that a request is carried out. */
export type Accept = (command: AcceptedRequest['command'], unit: string | null, detail?: AcceptedRequest['detail']) => void;
