import { boolean, list, number, oneOf, readJson, record, string, type Shape, type Shaped } from './shape.ts';

const settledUnit = record({ name: string, phase: string }, { pid: number, error: string });
/** `held`: another supervisor has the lock. */
const refused = record({ message: string }, { held: boolean });
const listening = record({ pid: number });
const settled = record({ units: list<SettledUnit>(settledUnit) });

/** How one unit of the first start came out. */
export interface SettledUnit extends Shaped<typeof settledUnit> {}

/** What a starting supervisor reports to the command that waits for it, each on a line of JSON. */
export type LaunchReport =
  | ({ readonly event: 'refused' } & Shaped<typeof refused>)
  | ({ readonly event: 'listening' } & Shaped<typeof listening>)
  | ({ readonly event: 'settled' } & Shaped<typeof settled>);

const events: Readonly<Record<LaunchReport['event'], Shape<unknown>>> = { refused, listening, settled };
const tag = record({ event: oneOf('refused', 'listening', 'settled') });
const launchReport: Shape<LaunchReport> = (value, at) => tag(value, at) ?? events[(value as Shaped<typeof tag>).event](value, at);

/** Null for a line of a later version, which this one need not understand, and for one that is not of the protocol: a runtime's own words. */
export function decodeLaunchReport(line: string): LaunchReport | null {
  return readJson(line, launchReport);
}
