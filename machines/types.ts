/**
 * The vocabulary of the machines: plain JSON data, shared by the charts and by everything that serves them.
 * Times named `at` are milliseconds of the monotonic clock; durations end in `Ms`; wall-clock instants end in `WallMs`.
 */
export * from './check.ts';
export type * from './spec.ts';
export type * from './process-facts.ts';
export * from './unit-facts.ts';
export type * from './events.ts';
export type * from './rollout-facts.ts';
export type * from './child-facts.ts';
export type * from './job-facts.ts';
