/** What a person types in the middle of a simulation. `unit` null: all of them. */
export interface ScenarioCommand {
  readonly verb: (typeof commandVerbs)[number];
  readonly unit: string | null;
  /** Of a reload: another file than the one that is simulated. */
  readonly file: string | null;
}

export const commandVerbs = ['start', 'stop', 'restart', 'reload'] as const;

/** `restart api`, `stop`, `reload next.yaml`; null when it is none of these. */
export function parseCommand(text: string): ScenarioCommand | null {
  const [word, argument, ...more] = text.trim().split(/\s+/);
  const verb = commandVerbs.find((candidate) => candidate === word);
  if (verb === undefined || more.length > 0) return null;
  return verb === 'reload' ? { verb, unit: null, file: argument ?? null } : { verb, unit: argument ?? null, file: null };
}
