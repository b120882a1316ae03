/*
 * This room holds what exists for systemg 0.33.0 alone: its state files, written for its commands (`projection`) and read after its death (`takeover`,
 * `at-rest`), the hashes by which it knows services (`identity`) and its file of slots (`slot-file`). Nothing but the daemon's composition root, the
 * command line and `doctor` imports it. To do without systemg 0.33.0, delete the room and then
 * - in src/daemon/found.ts take the orders of `recover` as they are, in place of `takeOver` and `noteRecordedRuns`;
 * - in src/daemon/records.ts, supervision.ts and end-units.ts leave out the projection;
 * - in src/daemon/units.ts keep the slots in the ledger's notes;
 * - in src/daemon/configuration.ts and src/cli/load-config.ts give `loadConfig` an `identify` of our own, such as the digest of a definition;
 * - in src/cli/offline.ts say of units at rest what the ledger says, and leave out src/doctor/projection.ts.
 */
import type { AdoptOrder, ChildRecord, ProcessIdentity, ServiceSpec, UnitRecord } from '../../machines/types.ts';
import type { Ledger } from '../state/ledger.ts';
import { orphanOf, orphansOf, orphanText, type Orphan } from './orphans.ts';
import { prove, survivorsOf, type Proof, type Suspect } from './proof.ts';
import { takeChildren, type ChildrenTakeover } from './takeover-children.ts';
import { notedChildren } from '../state/notes.ts';
import { takenOverToken } from '../state/recovery.ts';
import type { CronFile } from './state-files.ts';
import { ownDigests } from './projection.ts';
import { claimsOf, readStateFiles, xmlFiles, type Claim, type StateFiles, type XmlFile } from './read-files.ts';

export interface TakeoverInput extends Pick<ChildrenTakeover, 'specs' | 'uid' | 'now' | 'onReport' | 'mask'> {
  readonly stateDir: string;
  readonly ledger: Pick<Ledger, 'meta' | 'latest'>;
  /** What recovery made of the ledger; nothing after a clean end. */
  readonly found: readonly AdoptOrder[];
  readonly environment: NodeJS.ProcessEnv;
  readonly onProblem: (text: string) => void;
}

export interface Takeover {
  readonly orders: readonly AdoptOrder[];
  /** As they were read. */
  readonly files: StateFiles;
  /** History of cron runs that another program wrote; null: none, or it is ours. */
  readonly cron: CronFile | null;
  /** Spawned children that another program has left running with their services. */
  readonly children: readonly ChildRecord[];
  /** Units that are not started for fear of a second copy, and why. */
  readonly leftDown: ReadonlyMap<string, string>;
  /** Those of them that a living process may belong to. The others depend on one of these. */
  readonly suspects: ReadonlyMap<string, string>;
  /** What is left of those, which no unit has, as pid.xml has to name it for the next supervisor. */
  readonly suspected: readonly Orphan[];
  /** What pid.xml names that is not configured. */
  readonly orphans: readonly Orphan[];
}

/** What goes on from a run of systemg 0.33.0, known from its files where the ledger does not know better. */
export function takeOver(input: TakeoverInput): Takeover {
  const { specs, uid } = input;
  const files = readStateFiles(input.stateDir, { onProblem: input.onProblem, quarantine: xmlFiles });
  const alive = input.found.filter(({ verdict }) => verdict === 'alive');
  const read: Read = { ...input, files, alive, taken: claimed(alive) };
  const { claimOf, known, children } = hasOtherRun(read) ? afterAnother(read) : afterOurs(read);
  const orders = [...known, ...heldBack(read, known)];
  const down = reasonsDown(known);
  const suspected = specs.flatMap((spec) => {
    const claim = down.has(spec.name) ? claimOf(spec) : null;
    return claim === null ? [] : orphanOf(files, spec.name, claim, uid) ?? [];
  });
  const suspects = new Map([...down].filter(([unit]) => suspected.some(({ name }) => name === unit)));
  const [names, pids] = [new Set([...specs.map(({ name }) => name), ...orders.map(({ record }) => record.unit)]), claimed(orders)];
  const orphans = orphansOf(files, (name, pid) => names.has(name) || pids.has(pid), uid);
  for (const orphan of orphans) input.onReport(orphanText(orphan));
  return {
    orders, files, children, suspects, suspected, orphans,
    cron: isForeign(read, 'cron_state.xml') ? files.cron : null,
    leftDown: reasonsDown(orders.filter((order) => !input.found.includes(order))),
  };
}

interface Read extends TakeoverInput {
  readonly files: StateFiles;
  /** What goes on by the ledger, and its pids. */
  readonly alive: readonly AdoptOrder[];
  readonly taken: ReadonlySet<number>;
}

type ClaimOf = ReturnType<typeof claimsOf>;

interface Claims extends Read {
  readonly claimOf: ClaimOf;
}

/** Without a ledger, or when the files are not those we wrote, another program has run in between: what the ledger saw alive stays, all else is as the files say. */
function afterAnother(read: Read) {
  const { stateDir, specs, ledger, files, alive, onReport } = read;
  onReport(`taking over from another program: ${stateDir}/pid.xml and state.xml are not as this supervisor left them`);
  const claims = { ...read, claimOf: claimsOf(files, specs) };
  const known = withFiles(alive, claims);
  for (const { record } of alive) reportSecond(claims, record.unit);
  return { claimOf: claims.claimOf, known, children: takeChildren(files.pid?.spawned ?? [], { ...read, orders: known, known: notedChildren(ledger.meta) }) };
}

/** All is as the ledger says. Beside the processes that it knows pid.xml names what was left alone, which is left alone again. */
function afterOurs(read: Read) {
  const { files, specs, ledger, found } = read;
  const named = claimsOf({ ...files, state: null }, specs);
  const claimOf: ClaimOf = (spec) => {
    const claim = named(spec);
    return claim === null || ledger.latest(spec.name)?.record.process?.identity?.pid === claim.pid ? null : claim;
  };
  return { claimOf, known: withFiles(found, { ...read, claimOf }), children: [] };
}

function withFiles(kept: readonly AdoptOrder[], claims: Claims): readonly AdoptOrder[] {
  return [...kept, ...claims.specs.flatMap((spec) => (kept.some(({ record }) => record.unit === spec.name) ? [] : fromFiles(claims, spec)))];
}

function reasonsDown(orders: readonly AdoptOrder[]): ReadonlyMap<string, string> {
  return new Map(orders.flatMap(({ record }): [string, string][] => (record.state === 'stopped' && record.reason !== null ? [[record.unit, record.reason]] : [])));
}

/** A file that says nothing, be it torn, shows that as long as the other one is not as we left it. */
function hasOtherRun(read: Read): boolean {
  const { files } = read;
  const isReadable = { 'pid.xml': files.pid !== null, 'state.xml': files.state !== null };
  const names = ['pid.xml', 'state.xml'] as const;
  const foreign = names.filter((name) => isForeign(read, name));
  return foreign.some((name) => isReadable[name]) || (foreign.length > 0 && names.every((name) => foreign.includes(name) || files.digests[name] === null));
}

function isForeign({ ledger, files: { digests } }: Read, name: XmlFile): boolean {
  const digest = digests[name];
  return digest !== null && !ownDigests(ledger, name).includes(digest);
}

/** A service whose dependency must not be started is not started either. */
function heldBack(input: TakeoverInput, known: readonly AdoptOrder[]): readonly AdoptOrder[] {
  const down = new Set(known.filter(({ verdict, record }) => verdict === 'rest' && record.wanted === 'down').map(({ record }) => record.unit));
  const others = new Set(known.map(({ record }) => record.unit).filter((unit) => !down.has(unit)));
  const held: AdoptOrder[] = [];
  for (let before = -1; before < held.length;) {
    before = held.length;
    for (const spec of input.specs) {
      const needed = spec.dependsOn.find(({ service }) => down.has(service))?.service;
      if (needed === undefined || down.has(spec.name) || others.has(spec.name) || spec.cron !== null) continue;
      const reason = `it needs '${needed}', which is down; start that first`;
      input.onReport(`service '${spec.name}' is not started: ${reason}`);
      held.push({ verdict: 'rest', record: recordOf(input, spec, { state: 'stopped', wanted: 'down', reason }) });
      down.add(spec.name);
    }
  }
  return held;
}

function claimed(orders: readonly AdoptOrder[]): ReadonlySet<number> {
  return new Set(orders.flatMap(({ record }) => record.process?.identity?.pid ?? []));
}

/** No order: the unit is started, as one that is not known yet. */
function fromFiles(claims: Claims, spec: ServiceSpec): readonly AdoptOrder[] {
  const { files, claimOf, uid, onReport } = claims;
  const recorded = files.state?.get(spec.hash) ?? null;
  const claim = claimOf(spec);
  if (claim === null) return [];
  const { pid, file } = claim;
  const proof = proofOf(claims, spec, claim);
  if (proof.ok) {
    onReport(`service '${spec.name}': pid ${pid} goes on, taken over from ${file}`);
    return [{ verdict: 'alive', record: recordOf(claims, spec, { state: 'running', process: proof.identity }) }];
  }
  // Crashed services keep their pid in the file until they run again.
  const mayRun = recorded?.status !== 'exited_with_error';
  const survivors = !proof.plausible && mayRun ? survivorsOf(files, spec.name, claim, uid) : [];
  const left = survivors.map(described).join(', ');
  onReport(`service '${spec.name}': pid ${pid} of ${file} is not taken over: ${proof.why}${left === '' ? '' : `, but of its group there is left ${left}`}`);
  if (mayRun && (proof.plausible || left !== '')) {
    const what = left === '' ? `pid ${pid}` : left;
    const reason = `${what} may be this service, left running by another supervisor: it is neither signalled nor doubled; end it, then start the service`;
    onReport(`service '${spec.name}' is not started: ${reason}`);
    return [{ verdict: 'rest', record: recordOf(claims, spec, { state: 'stopped', wanted: 'down', reason }) }];
  }
  return [];
}

function proofOf({ environment, uid, specs, claimOf, taken }: Claims, spec: ServiceSpec, claim: Claim): Proof {
  if (taken.has(claim.pid)) return { ok: false, plausible: false, why: 'it is that of another service' };
  const proof = prove(claim, { spec, environment, uid });
  const isShared = proof.ok && specs.some((other) => other.name !== spec.name && claimOf(other)?.pid === claim.pid);
  return isShared ? { ok: false, plausible: true, why: 'several services claim it' } : proof;
}

/** systemg 0.33.0 starts second copies of what another supervisor left running. Without root its death ends their shells and not what those started. */
function reportSecond(claims: Claims, unit: string): void {
  const { specs, files, claimOf, taken, uid, onReport } = claims;
  const spec = specs.find(({ name }) => name === unit);
  const claim = spec === undefined ? null : claimOf(spec);
  if (claim === null || spec === undefined || taken.has(claim.pid)) return;
  const isProven = proofOf(claims, spec, claim).ok;
  const left = isProven ? [] : survivorsOf(files, unit, claim, uid);
  const copies = isProven ? [`pid ${claim.pid}`] : left.filter(({ identity }) => !taken.has(identity.pid)).map(described);
  if (copies.length === 0) return;
  onReport(`service '${unit}' goes on; a second copy that the other program started, ${copies.join(', ')}, is left alone: end it when it is not wanted`);
}

function described({ identity, argv }: Suspect): string {
  return `pid ${identity.pid} (${argv.join(' ').slice(0, 80)})`;
}

interface Resumed {
  readonly state: UnitRecord['state'];
  readonly wanted?: UnitRecord['wanted'];
  readonly process?: ProcessIdentity;
  readonly reason?: string;
}

function recordOf({ ledger, now }: TakeoverInput, spec: ServiceSpec, resumed: Resumed): UnitRecord {
  const generation = (ledger.latest(spec.name)?.record.generation ?? 0) + 1;
  const { process: identity } = resumed;
  return {
    unit: spec.name, hash: spec.hash, definition: spec.definition, wanted: resumed.wanted ?? 'up', state: resumed.state, cause: null, generation,
    process: identity === undefined ? null : { generation, role: 'main', token: takenOverToken(), identity, adopted: true },
    outcome: 'none', exit: null, reason: resumed.reason ?? null, failures: [], streak: 0, restarts: 0, deadline: null,
    since: now().at,
  };
}
