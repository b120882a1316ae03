import type { Child } from '../../machines/children.ts';
import type { ChildFacts, RestartPolicy, RolloutFacts, ServiceSpec, SupervisorFact, UnitFacts } from '../../machines/types.ts';
import type { SupervisorLog } from './supervisor-log.ts';

/**
 * Facts as records of the supervisor's log: in the words and under the module of 0.33.0 where it has them, since scripts look for those, else under ours.
 * `childOf`: a spawned child, living or gone of late. `specOf`: of a unit that the root has.
 */
export function makeNarrator(log: SupervisorLog, childOf: (id: string) => Child | null, specOf: (unit: string) => ServiceSpec | null): (fact: SupervisorFact) => void {
  const narrated = new Map<string, string>();
  return (fact) => {
    if (fact.type === 'unit.crashed') return log.error(ours, `The actor of service '${fact.unit}' failed and is replaced: ${fact.error}`);
    if (fact.type === 'unit.removed') {
      narrated.delete(fact.unit);
      return log.info(ours, `Service '${fact.unit}' ${specOf(fact.unit) !== null ? 'is made anew: it has become a cron unit, or is one no more' : 'is no longer configured'}`);
    }
    if (fact.type === 'child.changed') return narrateChild(log, fact.facts, childOf(fact.facts.child));
    if (fact.type === 'rollout.changed') return narrateRollout(log, fact.facts);
    if (fact.type === 'supervisor.ending') return log.info('sysg::supervisor', `Stopping all services: ${fact.because}`);
    if (fact.type === 'supervisor.ended') return undefined;
    const { state, exit, place, trigger } = fact.facts;
    const unit = place === 'current' ? fact.facts.unit : `${fact.facts.unit} (${place})`;
    if (narrated.get(unit) === state) return undefined;
    narrated.set(unit, state);
    const how = howEnded(exit);
    switch (state) {
      case 'stopping':
        if (trigger.kind !== 'dependency') return trigger.kind === 'command' ? log.info(theirs, `${trigger.by === 'restart' ? 'Restarting' : 'Stopping'} service: ${unit}`) : undefined;
        // One that still runs is to be restarted, after its dependents have ended.
        if (narrated.get(trigger.by ?? '') === 'running') return log.info(theirs, `Stopping service: ${unit}`);
        return log.warn(theirs, `Stopping dependent service '${unit}' because '${trigger.by}' failed.`);
      case 'spawning': return log.info(theirs, `Starting service: ${unit}`);
      case 'running': return log.debug(ours, `Service '${unit}' is running`);
      case 'clearing': return log.debug(ours, `Service '${unit}' ended with ${how}`);
      case 'killing': return log.warn(ours, `Service '${unit}' did not end in time; sending SIGKILL`);
      case 'backoff': return narrateBackoff(log, unit, fact.facts);
      case 'failed': return narrateFailure(log, unit, fact.facts, specOf(fact.facts.unit)?.restart);
      case 'stopped':
        if (fact.facts.outcome === 'completed') return log.info(theirs, `Service '${unit}' exited normally.`);
        if (fact.facts.outcome === 'skipped') return log.info(theirs, `Skipping service '${unit}' due to skip ${specOf(fact.facts.unit)?.skip === true ? 'flag' : 'condition'}`);
        return log.info(ours, `Service '${unit}' is stopped`);
      default: return undefined;
    }
  };
}

const [theirs, ours] = ['systemg::daemon', 'sysg::unit'];

/** 0.33.0 knows of no failure but a crash, and gives no reason. */
function narrateBackoff(log: SupervisorLog, unit: string, { reason, blame }: UnitFacts): void {
  if (reason === null) return log.info(theirs, `Service '${unit}' exited normally. Restarting...`);
  if (blame === 'process') return log.warn(theirs, `Service '${unit}' crashed. Restarting... (${reason})`);
  return log.warn(ours, `Service '${unit}' failed (${reason}). Restarting...`);
}

function narrateFailure(log: SupervisorLog, unit: string, { reason, blame, exit }: UnitFacts, policy: RestartPolicy | undefined): void {
  const why = reason ?? howEnded(exit);
  const isCrash = blame === 'process' && policy?.noRestartExitCodes.includes(exit?.code ?? -1) === false;
  if (isCrash && policy.mode === 'never') return log.error(theirs, `Service '${unit}' crashed but restart_policy does not allow restart. (${why})`);
  if (isCrash && policy.maxRestarts !== null) return log.error(theirs, `Service '${unit}' has reached maximum restart attempts (${policy.maxRestarts}). Giving up. (${why})`);
  return log.error(ours, `Service '${unit}' has failed: ${why}. Giving up.`);
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
