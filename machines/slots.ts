import type { CheckProbe, HealthCheck } from './check.ts';
import type { SlotChange, SlotIndex } from './rollout-facts.ts';
import type { ServiceSpec } from './spec.ts';

/** What the slots of a blue-green unit mean to its definition. Plain text is replaced, nothing is quoted: as 0.33.0 does. */

/** The unit as it runs in a slot: the slot's value in its variable and in its checks. Other units are as they were. */
export function inSlot(spec: ServiceSpec, index: SlotIndex): ServiceSpec {
  const { blueGreen } = spec.deployment;
  if (blueGreen === null) return spec;
  const slot = blueGreen.slots[index];
  return { ...spec, env: { ...spec.env, [blueGreen.envVar]: slot }, check: spec.check === null ? null : filled(spec.check, { slot, service_name: spec.name }) };
}

/** Another definition of the unit in the slot in which this one runs. */
export function inSlotOf({ env, deployment: { blueGreen } }: ServiceSpec, other: ServiceSpec): ServiceSpec {
  return blueGreen === null ? other : inSlot(other, env[blueGreen.envVar] === blueGreen.slots[1] ? 1 : 0);
}

/** The check that a candidate has to pass once it runs; null when its own check is all there is. */
export function gateOf(spec: ServiceSpec, change: SlotChange | null): HealthCheck | null {
  const { check, blueGreen } = spec.deployment;
  const gate = change !== null && blueGreen !== null ? blueGreen.candidateCheck : check;
  if (gate === null) return null;
  const own = filled(gate, slotWords(spec, change));
  return JSON.stringify(own) === JSON.stringify(spec.check) ? null : own;
}

/** What must hold after the switch. */
export function verificationOf(spec: ServiceSpec, change: SlotChange | null): HealthCheck | null {
  const check = spec.deployment.blueGreen?.switchVerify ?? null;
  return check === null ? null : filled(check, slotWords(spec, change));
}

/** The switch command and its variables. */
export function switchOf(spec: ServiceSpec, change: SlotChange): { readonly command: string; readonly env: Readonly<Record<string, string>> } | null {
  const { blueGreen } = spec.deployment;
  if (blueGreen === null) return null;
  const active = blueGreen.slots[change.from];
  const candidate = blueGreen.slots[change.to];
  return {
    command: replaced(blueGreen.switchCommand, { active_slot: active, candidate_slot: candidate, service_name: spec.name }),
    env: { SYSG_ACTIVE_SLOT: active, SYSG_CANDIDATE_SLOT: candidate, SYSG_SERVICE_NAME: spec.name },
  };
}

function slotWords(spec: ServiceSpec, change: SlotChange | null): Readonly<Record<string, string>> {
  const { blueGreen } = spec.deployment;
  if (blueGreen === null || change === null) return { service_name: spec.name };
  const candidate = blueGreen.slots[change.to];
  return { slot: candidate, candidate_slot: candidate, active_slot: blueGreen.slots[change.from], service_name: spec.name };
}

function filled(check: HealthCheck, words: Readonly<Record<string, string>>): HealthCheck {
  return { ...check, probe: filledProbe(check.probe, words) };
}

function filledProbe(probe: CheckProbe, words: Readonly<Record<string, string>>): CheckProbe {
  switch (probe.kind) {
    case 'url': return { ...probe, url: replaced(probe.url, words) };
    case 'command': return { ...probe, command: replaced(probe.command, words) };
    default: return probe;
  }
}

function replaced(text: string, words: Readonly<Record<string, string>>): string {
  return Object.entries(words).reduce((result, [word, value]) => result.replaceAll(`{${word}}`, () => value), text);
}
