import { dirname } from 'node:path';
import type { Call } from '../cli/call.ts';
import { configInUse } from '../cli/config-choice.ts';
import { everySupervisor, projectName } from '../cli/every-supervisor.ts';
import { firstConfigPath } from '../config-path.ts';

/** A supervisor that is shown. `name`: of its project; `-` has none. */
export interface Watched { readonly name: string; readonly call: Call }

/** Which supervisors there are at this moment. */
export interface Supervisors {
  /** All those of the user are meant, however many there are. */
  readonly every: boolean;
  now(): readonly [Watched, ...Watched[]];
}

/** The supervisor of the call, or with `every` all those of the user, that of the call first. */
export function supervisorsToWatch(call: Call, every: boolean): Supervisors {
  const own: Watched = { name: projectName(call), call };
  return {
    every,
    now: () => {
      const found = every ? everySupervisor(call) : [call];
      const isOwn = ({ paths }: Call): boolean => paths.project === call.paths.project;
      const [first = own, ...others] = [...(found.some(isOwn) ? [own] : []), ...found.filter((one) => !isOwn(one)).map(atHome)];
      return [first, ...others];
    },
  };
}

/** A project that has ended is explained by its own file, not by that of the working directory. */
function atHome(call: Call): Watched {
  const config = configInUse(call);
  return { name: projectName(call), call: config === null ? call : { ...call, cwd: dirname(firstConfigPath(config)) } };
}
