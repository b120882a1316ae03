import type { OwnedProcess } from '../../machines/types.ts';
import type { ScannedProcess } from '../process/scan.ts';
import { isLiving } from '../process/proc.ts';
import type { LedgerEntry } from '../state/ledger-lines.ts';
import { tokenSeeds } from '../state/notes.ts';
import { counted } from '../words.ts';
import { agrees, disagrees, isBehind, isSupervised, servedUnits, startCommand, type Facts, type Finding } from './facts.ts';

/** What /proc says of every recorded process, of every holder of our tokens, and of children that nobody reaps. */
export function checkProcesses(facts: Facts): readonly Finding[] {
  if (!facts.seesProcesses) {
    return [disagrees('processes', 'no process in /proc', 'all that run, since sysg starts and ends none that it cannot see there', 'Mount /proc, as by: mount -t proc proc /proc')];
  }
  return [...[...facts.ledger.entries.values()].flatMap((entry) => checkRecorded(facts, entry)), ...checkGroups(facts), checkStrays(facts), checkZombies(facts)];
}

function checkRecorded(facts: Facts, { record, written }: LedgerEntry): readonly Finding[] {
  const { process } = record;
  const identity = process?.identity ?? null;
  if (process === null || identity === null) return [];
  const check = `process of ${record.unit}`;
  const watched = isSupervised(facts);
  // While a unit is being ended its leader may be dead and the rest of its group not.
  const ending = watched && ENDING.has(record.state);
  const dead = (how: string): readonly Finding[] => {
    if (isBehind(facts, facts.paths.ledger)) return [agrees(check, `pid ${identity.pid} ${how}: the ledger is behind`)];
    if (ending) return [agrees(check, `pid ${identity.pid} ${how}: what is left of it is being ended`)];
    if (!watched) return [agrees(check, `pid ${identity.pid} ${how}: the next supervisor judges that by the restart policy`)];
    return [disagrees(check, `pid ${identity.pid} ${how}`, `the process that the ledger calls ${record.state}`, facts.serving.kind === 'answers'
      ? `The supervisor has missed its end. Start it again with: ${facts.command}restart -s ${record.unit}` : 'The supervisor sees that as soon as it works again.')];
  };
  if (written.bootId !== facts.bootId || identity.bootId !== facts.bootId) return dead('ran before the machine was started anew');
  const found = facts.processes.get(identity.pid);
  if (found === undefined) return dead('is dead');
  if (found.startTime !== identity.startTime) return dead(`is another process by now (began at tick ${found.startTime}, not ${identity.startTime})`);
  if (!isLiving(found)) return dead(`is a zombie, which its parent ${found.ppid} has not reaped`);
  const foreign = contradicts(found, process);
  if (foreign !== null) {
    return [disagrees(check, `pid ${identity.pid} with the token ${foreign}`, `the token ${process.token}`,
      'Another program started this process, though pid and start time fit: the boot id or the clock of this machine repeats itself. '
      + 'End the process by hand and restart the service.')];
  }
  if (!watched) {
    return [disagrees(check, `pid ${identity.pid} running without a supervisor`, 'a supervisor that looks after it',
      `Go on with it by: ${startCommand(facts)}; or end it by: ${facts.command}stop`)];
  }
  return [agrees(check, `pid ${identity.pid} lives and is the same by start time and boot${found.tokens?.includes(process.token) === true ? ' and token' : ''}`)];
}

/** A token that speaks against it; null without one. A program may have cleared its environment, which says nothing. */
function contradicts({ tokens }: ScannedProcess, { token }: OwnedProcess): string | null {
  return tokens === null || tokens.length === 0 || tokens.includes(token) || !OWN_TOKEN.test(token) ? null : (tokens.at(-1) ?? null);
}

/** `seed.unit.generation`, and a word for a step before the service itself. */
const OWN_TOKEN = /^([0-9a-f]{12})\.([0-9]+)\.([0-9]+)(?:\.[a-z_]+)?$/;
const ENDING: ReadonlySet<string> = new Set(['stopping', 'killing', 'clearing', 'settling']);

/** Two generations of one unit that live at once: one of them nobody remembers. */
function checkGroups({ ledger, processes, command }: Facts): readonly Finding[] {
  return [...ledger.entries.values()].flatMap(({ record }) => {
    const [, seed, made] = OWN_TOKEN.exec(record.process?.token ?? '') ?? [];
    if (seed === undefined) return [];
    const generations = new Map<string, number[]>();
    for (const { pid, tokens, state } of processes.values()) {
      for (const token of isLiving({ state }) ? (tokens ?? []) : []) {
        const [, itsSeed, itsMade, generation = ''] = OWN_TOKEN.exec(token) ?? [];
        if (itsSeed === seed && itsMade === made) generations.set(generation, [...(generations.get(generation) ?? []), pid]);
      }
    }
    if (generations.size < 2) return [];
    const each = [...generations].map(([generation, pids]) => `generation ${generation} (pid ${pids.join(', ')})`).join(' and ');
    return [disagrees(`groups of ${record.unit}`, `${each} living at once`, `generation ${record.generation} alone, outside a rollout`,
      `End all of it with: ${command}stop -s ${record.unit}; then end by hand what is left.`)];
  });
}

/** Holders of a token that this state directory gave out, or that write into it where its ledger was lost, which belongs to no unit any more. */
function checkStrays({ ledger, processes, feeders, serving }: Facts): Finding {
  const records = [...ledger.entries.values()].map(({ record }) => record);
  const served = servedUnits(serving).flatMap(({ process }) => processes.get(process?.pid ?? 0)?.tokens ?? []);
  const owned = new Set([...records.flatMap(({ process }) => process?.token ?? []), ...served].map(unitOf));
  const seeds = new Set([...tokenSeeds(ledger.meta), ...records.flatMap(({ process }) => OWN_TOKEN.exec(process?.token ?? '')?.[1] ?? [])]);
  const strays = [...processes.values()].filter(({ pid, tokens, state }) => {
    const ours = (tokens ?? []).filter((token) => feeders.has(pid) || seeds.has(OWN_TOKEN.exec(token)?.[1] ?? ''));
    return isLiving({ state }) && ours.length > 0 && !ours.some((token) => owned.has(unitOf(token)));
  });
  if (strays.length === 0) return agrees('strays', 'every process with a token of sysg belongs to a unit');
  const listed = strays.slice(0, 10).map(({ pid, pgrp, tokens }) => `pid ${pid} (group ${pgrp}, token ${tokens?.at(-1)})`).join(', ');
  const them = strays.length === 1 ? 'it' : 'them';
  return disagrees('strays', `${listed}${strays.length > 10 ? ` and ${strays.length - 10} more` : ''}`, 'every process with a token of sysg to belong to a unit',
    `Services left ${them} behind: look at ${them} with ps, and end what is not wanted.`);
}

function unitOf(token: string): string {
  const [, seed, made] = OWN_TOKEN.exec(token) ?? [];
  return seed === undefined ? token : `${seed}.${made}`;
}

function checkZombies({ processes, owner }: Facts): Finding {
  const parents = new Set([owner?.pid, owner?.guardian].filter((pid) => pid != null));
  const zombies = [...processes.values()].filter(({ state, ppid }) => state === 'Z' && parents.has(ppid));
  if (zombies.length === 0) return agrees('zombies', 'no child of the supervisor waits to be reaped');
  const found = `${counted(zombies.length, 'zombie')} (pid ${zombies.slice(0, 10).map(({ pid }) => pid).join(', ')}) that pid ${zombies[0]?.ppid} does not reap`;
  return disagrees('zombies', found, 'none', 'They hold nothing but a number each. When they become many, put a new supervisor in its place.');
}
