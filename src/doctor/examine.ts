import { setTimeout as pause } from 'node:timers/promises';
import { xmlFiles } from '../compat/read-files.ts';
import { socketPathProblem } from '../wire/socket.ts';
import { disagrees, type Diagnosis, type Facts, type Finding } from './facts.ts';
import { checkOutputs } from './outputs.ts';
import { checkPlaces, checkSpace, obstructed } from './places.ts';
import { checkProcesses } from './processes.ts';
import { checkProjection } from './projection.ts';
import { checkRecords } from './records.ts';
import { checkConfiguration, checkLock } from './supervisor.ts';
import { checkTools } from './tools.ts';

/** Every check, in the order in which a person would look. */
export function examine(facts: Facts): readonly Finding[] {
  // Everything else that was found of the files would be a consequence.
  if (facts.obstacle !== null) return [obstructed(facts.obstacle, facts), checkConfiguration(facts), ...checkTools(facts)];
  const unusable = socketPathProblem(facts.paths.socket);
  if (unusable !== null) {
    return [disagrees('control socket', unusable, 'a path that a socket can have', 'No supervisor starts there.'), checkConfiguration(facts), ...checkTools(facts)];
  }
  return [
    ...checkPlaces(facts), ...checkLock(facts), checkConfiguration(facts), ...checkRecords(facts), ...xmlFiles.flatMap((name) => checkProjection(facts, name)),
    ...checkProcesses(facts), ...checkOutputs(facts), ...checkSpace(facts), ...checkTools(facts),
  ];
}

/**
 * Looks, and where something disagrees looks once more: files lag behind the actors by up to 200 ms, and a unit in transition is not wrong. Only what
 * disagrees both times counts.
 */
export async function diagnose(look: () => Promise<Facts>, secondLookMs = SECOND_LOOK_MS): Promise<Diagnosis> {
  const first = examine(await look());
  if (first.every(({ ok }) => ok)) return { ok: true, findings: first };
  await pause(secondLookMs);
  const before = new Map(first.map((finding) => [finding.check, finding]));
  const findings = examine(await look()).flatMap((finding) => {
    const earlier = before.get(finding.check);
    if (finding.ok || earlier?.ok === false) return [finding];
    // It may be right again by now.
    return earlier === undefined ? [] : [earlier];
  });
  return { ok: findings.every(({ ok }) => ok), findings };
}

const SECOND_LOOK_MS = 700;
