import type { SupervisorSnapshot } from '../../machines/supervisor.ts';
import { viewAll } from '../../machines/view.ts';
import type { Peer } from '../process/peer.ts';
import type { ProcessTable } from '../process/scan.ts';
import { authorise, type ChildTree, type ServiceTree } from '../spawned/authority.ts';
import { flawOf, openRate, SPAWNS_PER_SECOND } from '../spawned/spawn-order.ts';
import type { Exchange } from '../control/connection.ts';
import type { RouteOutside } from '../control/outside.ts';
import { error } from '../control/sentences.ts';
import type { RequestOf } from '../wire/requests.ts';
import type { Response } from '../wire/responses.ts';

export interface SpawnOutside extends Pick<RouteOutside, 'tickets' | 'now' | 'send' | 'snapshot'> {
  /** The process that sent a request; null where that cannot be known. */
  peerOf(exchange: Exchange): Promise<Peer | null>;
  /** Every process there is, with its tokens. */
  scan(): Promise<ProcessTable>;
  /** What all spawned children of a unit use now. */
  usedBytes(unit: string): number;
}

/** Spawn: checks of the request, of the client and the service it asks for, then the root's, then the pid. In 0.33.0's order. */
export function makeSpawn(outside: SpawnOutside): (request: RequestOf<'spawn'>, exchange: Exchange) => Promise<Response> {
  const { tickets, now, send, snapshot } = outside;
  const rate = openRate(now);
  return async (request, exchange) => {
    const { parentPid, name, command, ttl, logLevel } = request;
    const flaw = flawOf(request);
    if (flaw !== null) return error(`Spawn refused: ${flaw}`);
    if (rate.isExceeded(parentPid)) return error(`Spawn limit exceeded: Spawn rate limit exceeded (max ${SPAWNS_PER_SECOND}/sec)`);

    const peer = await outside.peerOf(exchange);
    const table = await outside.scan();
    // The answer is no longer waited for, and the pid of the client may belong to another process by now.
    if (exchange.signal.aborted) return error('the client has left');
    const authority = authorise({
      table, tokensReadable: process.platform === 'linux', services: serviceTrees(snapshot()), children: childTrees(snapshot()), peer, uid: process.geteuid?.() ?? 0, parentPid,
    });
    if (!authority.ok) return error(authority.error);

    const { unit, generation, token } = authority.service;
    const order = { unit, generation, token, parent: authority.parent, parentPid, name, argv: command, ttlMs: ttl === null ? null : ttl * 1000, logLevel };
    const limited = snapshot().context.units.get(unit)?.spec.spawn?.totalMemoryBytes != null;
    let issued: number | null = null;
    const [settled] = await tickets.open([unit], (ticket) => {
      issued = ticket;
      send({ type: 'spawn', at: now(), ticket, order, usedBytes: limited ? outside.usedBytes(unit) : 0 });
    });
    if (settled?.error != null) return error(settled.error);
    const child = [...snapshot().context.children.values()].find(({ ticket }) => ticket === issued);
    const pid = child?.facts.identity?.pid;
    if (pid === undefined) return error(`the child of service '${unit}' ended before its pid was known`);
    rate.count(parentPid);
    return { kind: 'spawned', pid };
  };
}

/** Of a unit that is being replaced both instances. */
function serviceTrees(snapshot: SupervisorSnapshot): readonly ServiceTree[] {
  return viewAll(snapshot).flatMap(({ spec, process, generation, rollout }) => (
    [{ process, generation }, ...(rollout === null ? [] : [rollout])].flatMap((instance) => (instance.process?.identity == null || instance.process.role !== 'main'
      ? []
      : [{ unit: spec.name, dynamic: spec.spawn !== null, generation: instance.generation, leader: instance.process.identity, token: instance.process.token }]))
  ));
}

function childTrees(snapshot: SupervisorSnapshot): readonly ChildTree[] {
  return [...snapshot.context.children.values()].flatMap(({ record, facts }) => (facts.identity === null || facts.state === 'gone'
    ? []
    : [{ child: record.id, leader: facts.identity, token: record.token }]));
}
