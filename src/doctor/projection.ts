import { join } from 'node:path';
import { ownDigests } from '../compat/projection.ts';
import type { UnitStatus } from '../wire/payloads.ts';
import type { XmlFile } from '../compat/read-files.ts';
import { agrees, disagrees, isBehind, settledUnits, type Facts, type Finding } from './facts.ts';

/** A state file of systemg 0.33.0: whether it can be read, is as we left it, and says what Status says. */
export function checkProjection(facts: Facts, name: XmlFile): readonly Finding[] {
  const { files, ledger, lock, paths: { stateDir } } = facts;
  const path = join(stateDir, name);
  const problem = files.problems.find((text) => text.startsWith(path));
  const wrong = (found: string, expected = 'what the supervisor wrote last', advice = ''): readonly Finding[] =>
    [disagrees(name, found, expected, `${advice}It is written again at the next change of a unit.`)];
  if (problem !== undefined) {
    const expected = 'a file that systemg 0.33.0 can read';
    return lock.state === 'held' ? wrong(problem, expected) : [disagrees(name, problem, expected, 'The next supervisor keeps a copy and writes it anew.')];
  }
  if (isBehind(facts, path)) return [agrees(name, 'behind, since the disk does not take it')];
  const digest = files.digests[name];
  const ours = digest !== null && ownDigests(ledger, name).includes(digest);
  if (lock.state !== 'held') {
    if (digest === null) return [];
    return [agrees(name, ours ? 'as our supervisor left it' : 'another program has written it since: the next supervisor takes over from it')];
  }
  if (digest === null) return settledUnits(facts).length === 0 ? [agrees(name, 'not there: there are no units')] : wrong(`no ${path}`);
  if (!ours && !ledger.fresh) return wrong(`${path} written by another program`, undefined, 'Find out which: only systemg 0.33.0 writes there. ');
  const differences = ledger.fresh ? [] : differencesIn(facts, name);
  return differences.length === 0 ? [agrees(name, 'agrees with the status')] : wrong(differences.join('; '), 'the same as in the status');
}

function differencesIn(facts: Facts, name: XmlFile): readonly string[] {
  const units = settledUnits(facts);
  const { files, serving } = facts;
  if (units.length === 0) return [];
  if (name === 'pid.xml') {
    const living = new Map(units.flatMap((unit): [string, number][] => (unit.process === undefined ? [] : [[unit.name, unit.process.pid]])));
    const named = [...new Set([...living.keys(), ...(files.pid?.services.keys() ?? [])])];
    // What no unit is, or may be one and was left alone, keeps its place there as long as it lives.
    const isLeft = ({ kind, process, reason }: UnitStatus): boolean => kind === 'orphaned' || (process === undefined && reason !== undefined);
    const orphans = new Set(serving.kind === 'answers' ? serving.snapshot.units.filter(isLeft).map(({ name }) => name) : []);
    return named.filter((unit) => !facts.moving.has(unit) && !orphans.has(unit)).flatMap((unit) => {
      const [recorded, actual] = [files.pid?.services.get(unit) ?? null, living.get(unit) ?? null];
      return recorded === actual ? [] : [`pid ${recorded ?? 'none'} of ${unit} instead of ${actual ?? 'none'}`];
    });
  }
  if (name !== 'state.xml') return [];
  return units.flatMap((unit) => {
    const recorded = files.state?.get(unit.hash);
    // Nothing is written of a unit that never ran.
    return recorded === undefined || recorded.status === unit.lifecycle ? [] : [`"${recorded.status}" of ${unit.name} instead of "${unit.lifecycle}"`];
  });
}
