import type { JournalRecord, RolloutStatus } from '../../wire/payloads.ts';
import { fineSpan } from '../../words.ts';
import { printable } from '../../width.ts';

/** How far a rollout is, for a table: `rollout 2/4 checking`. */
export function rolloutText({ step, slots }: RolloutStatus): string {
  const steps = stepsOf(slots);
  return `rollout ${steps.includes(step) ? `${steps.indexOf(step) + 1}/${steps.length} ${step}` : (TAKEN_BACK.get(step) ?? step)}`;
}

/** What goes on, and what the instance beside the unit is: `checking, step 2 of 4; candidate is running, pid 4712, process number 3`. */
export function rolloutDetail(rollout: RolloutStatus): string {
  const { step, instance, phase, generation, pid, slots } = rollout;
  const steps = stepsOf(slots);
  const place = steps.includes(step) ? `${step}, step ${steps.indexOf(step) + 1} of ${steps.length} (${MEANINGS.get(step)})` : (TAKEN_BACK.get(step) ?? step);
  const beside = `${instance} ${[phase, ...(pid === undefined ? [] : [`pid ${pid}`]), `process number ${generation}`].join(', ')}`;
  return [place, beside, ...(slots === undefined ? [] : [`slot ${slots[0] + 1} to slot ${slots[1] + 1}`])].join('; ');
}

/** The records with those of each rollout as one, in the place of its newest: its steps, how long each took, and the outcome. */
export function foldRollouts(records: readonly JournalRecord[]): readonly JournalRecord[] {
  const open = new Map<string | null, JournalRecord[]>();
  const folded = new Map<JournalRecord, readonly JournalRecord[]>();
  for (const record of records) {
    if (record.event !== 'rollout') continue;
    const steps = record.detail?.['step'] === 'starting' ? [] : (open.get(record.unit) ?? []);
    steps.push(record);
    open.set(record.unit, steps);
    const [previous] = steps.slice(-2);
    if (previous !== undefined && previous !== record) folded.delete(previous);
    folded.set(record, [...steps]);
    if (record.detail?.['step'] === 'done') open.delete(record.unit);
  }
  return records.flatMap((record) => {
    const steps = folded.get(record);
    if (record.event !== 'rollout') return [record];
    return steps === undefined ? [] : [{ ...record, detail: { ...record.detail, steps: stepTexts(steps) } }];
  });
}

/** `starting 0.7s, switching 0.6s, grace`: the last one goes on, unless it is the end. */
function stepTexts(steps: readonly JournalRecord[]): string {
  return steps.flatMap(({ at, detail }, index) => {
    const step = printable(String(detail?.['step']));
    const next = steps[index + 1];
    if (next !== undefined) return [`${step} ${fineSpan(Date.parse(next.at) - Date.parse(at))}`];
    return step === 'done' ? [] : [step];
  }).join(', ');
}

function stepsOf(slots: RolloutStatus['slots']): readonly string[] {
  return slots === undefined ? ['starting', 'checking', 'grace', 'retiring'] : [...MEANINGS.keys()];
}

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['starting', 'the candidate comes up'], ['checking', 'the candidate has to pass the check of the deployment'], ['switching', 'the switch command runs'],
  ['verifying', 'the switch is verified'], ['recording', 'the slot in use is recorded'], ['grace', 'both instances run for the grace period'],
  ['retiring', 'the old instance ends'],
]);

const TAKEN_BACK: ReadonlyMap<string, string> = new Map([
  ['inquiring', 'failed, looking why'], ['switching-back', 'failed, switching back'], ['ending', 'failed, ending the candidate'],
]);
