import type { Child } from '../../machines/children.ts';
import type { ChildFacts, RolloutFacts, SupervisorFact } from '../../machines/types.ts';
import type { SupervisorLog } from './supervisor-log.ts';

/**
 * Facts as records of the supervisor's log: in the words and under the module of 0.33.0 where it has them, since scripts look for those, else under ours.
 * `childOf`: a spawned child, living or gone of late. `isConfigured`: whether the root has such a unit.
 */
export function makeNarrator(log: SupervisorLog, childOf: (id: string) => Child | null, isConfigured: (unit: string) => boolean): (fact: SupervisorFact) => void {
  const [theirs, ours] = ['systemg::daemon', 'sysg::unit'];
  const narrated = new Map<string, string>();
  return (fact) => {
    if (fact.type === 'unit.crashed') return log.error(ours, `The actor of service '${fact.unit}' failed and is replaced: ${fact.error}`);
    if (fact.type === 'unit.removed') {
      narrated.delete(fact.unit);
      return log.info(ours, `Service '${fact.unit}' ${isConfigured(fact.unit) ? 'is made anew: it has become a cron unit, or is one no more' : 'is no longer configured'}`);
    }
    if (fact.type === 'child.changed') return narrateChild(log, fact.facts, childOf(fact.facts.child));
    if (fact.type === 'rollout.changed') return narrateRollout(log, fact.facts);
    if (fact.type === 'supervisor.ending') return log.info('sysg::supervisor', `Stopping all services: ${fact.because}`);
    if (fact.type === 'supervisor.ended') return undefined;
    const { state, reason, exit, place, trigger } = fact.facts;
    const unit = place === 'current' ? fact.facts.unit : `${fact.facts.unit} (${place})`;
    if (narrated.get(unit) === state) return undefined;
    narrated.set(unit, state);
    const how = howEnded(exit);
    switch (state) {
      case 'stopping': return trigger?.kind !== 'command' ? undefined : log.info(theirs, `${trigger.by === 'restart' ? 'Restarting' : 'Stopping'} service: ${unit}`);
      case 'spawning': return log.info(theirs, `Starting service: ${unit}`);
      case 'running': return log.debug(ours, `Service '${unit}' is running`);
      case 'clearing': return log.debug(ours, `Service '${unit}' ended with ${how}`);
      case 'killing': return log.warn(ours, `Service '${unit}' did not end in time; sending SIGKILL`);
      case 'backoff': return log.warn(theirs, `Service '${unit}' failed (${reason ?? 'clean exit'}). Restarting...`);
      case 'failed': return log.error(ours, `Service '${unit}' has failed: ${reason ?? how}. Giving up.`);
      case 'stopped': return log.info(['completed', 'skipped'].includes(fact.facts.outcome) ? theirs : ours, {
        completed: `Service '${unit}' exited normally.`, skipped: `Skipping service '${unit}'`, none: `Service '${unit}' is stopped`,
        failed: `Service '${unit}' is stopped`,
      }[fact.facts.outcome]);
      default: return undefined;
    }
  };
}

function howEnded(exit: ChildFacts['exit']): string {
  return exit?.signal != null ? `signal ${exit.signal}` : `status ${exit?.code ?? 'unknown'}`;
}

function narrateRollout(log: SupervisorLog, { unit, step, result, reason, slots }: RolloutFacts): void {
  const where = 'sysg::rollout';
  const why = reason === null ? '' : `: ${reason}`;
  if (step === 'starting') return log.info(where, `Replacing service '${unit}'${slots === null ? '' : ` (slot ${slots.to})`}`);
  if (step !== 'done') return log.debug(where, `Replacing service '${unit}': ${step}`);
  if (result === 'replaced') return log.info(where, `Service '${unit}' was replaced`);
  if (result === 'replace') return log.warn(where, `Service '${unit}' cannot run twice (its address is in use); it is restarted without overlap`);
  return log.warn(where, `Service '${unit}' was not replaced and goes on as it was${why}`);
}

function narrateChild(log: SupervisorLog, { state, identity, exit, cause, unit }: ChildFacts, child: Child | null): void {
  if (child === null || identity === null) return undefined;
  const { name, parentPid } = child.record.order;
  const who = `Spawned child '${name}' (PID: ${identity.pid})`;
  const how = howEnded(exit);
  switch (state) {
    case 'living': return log.info('systemg::supervisor', `${who} from parent ${parentPid}`);
    case 'stopping': return log.info('sysg::child', `${who} of service '${unit}' is ended: ${cause ?? 'by itself'}`);
    case 'killing': return log.warn('sysg::child', `${who} of service '${unit}' did not end in time; sending SIGKILL`);
    case 'gone': return log.info('sysg::child', `${who} of service '${unit}' ended with ${how}`);
    default: return undefined;
  }
}
