import { configPaths } from '../config-path.ts';
import { boolean, list, nullable, number, readJson, record, string } from '../wire/shape.ts';

/** What a machine is to start when it boots. */
export interface BootOrder {
  /** Absolute path of the command `sysg`. */
  readonly program: string;
  /** Absolute path of the configuration; several as in config-path.ts. */
  readonly config: string;
  readonly system: boolean;
  /** Null: the supervisor without a name. */
  readonly project: string | null;
  /** Chosen in the configuration. */
  readonly profiles: readonly string[];
  /** Flags of `sysg` that go before the command. */
  readonly flags: readonly string[];
  /** PATH of the supervisor and its services: an init system has a short one, in which node may not be. */
  readonly searchPath: string;
  /** How long all services together may take to stop. */
  readonly stopSeconds: number;
}

/** Of the unit, the script or the label. */
export function bootName({ project }: Pick<BootOrder, 'project'>): string {
  return project === null ? 'sysg' : `sysg-${project}`;
}

/** `sysg --sys -p shop VERB...` */
export function commandOf({ program, system, project, flags }: BootOrder, ...verb: readonly string[]): readonly string[] {
  return [program, ...(system ? ['--sys'] : []), ...(project === null ? [] : ['--project', project]), ...flags, ...verb];
}

/** `--config FILE` for each of the files, `--profile NAME` for each of the profiles. */
export function startFlags({ config, profiles }: Pick<BootOrder, 'config' | 'profiles'>): readonly string[] {
  return [...configPaths(config).flatMap((file) => ['--config', file]), ...profiles.flatMap((profile) => ['--profile', profile])];
}

const MARK = 'sysg boot';

/** A comment by which the entry is known as ours, and what it was made from. Without `%`, which ends a line of a crontab, and `--`, which ends a comment in XML. */
export function markOf(order: BootOrder): string {
  const { program, config, system, project, profiles, flags, searchPath, stopSeconds } = order;
  const text = JSON.stringify({ program, config, system, project, ...(profiles.length > 0 && { profiles }), flags, searchPath, stopSeconds });
  return `${MARK} ${text.replaceAll('%', String.raw`\u0025`).replaceAll('--', String.raw`-\u002d`)}`;
}

/** The order that a text was made from; null: it is not ours, or somebody has edited the comment. */
export function orderIn(text: string): BootOrder | null {
  const mark = new RegExp(`${MARK} (\\{.*\\})`).exec(text)?.[1];
  const order = mark === undefined ? null : readJson(mark, bootOrder);
  return order === null ? null : { ...order, profiles: order.profiles ?? [] };
}

const bootOrder = record({
  program: string, config: string, system: boolean, project: nullable(string), flags: list(string), searchPath: string, stopSeconds: number,
}, { profiles: list(string) });
