export { lastLines } from './last-lines.ts';
export { follow, readLog, type FollowOptions, type FollowStart, type LogStart, type Wake } from './follow.ts';
export type { Place, Take } from './pieces.ts';
