export { lastLines } from './last-lines.ts';
export { follow, type FollowOptions, type FollowStart, type Wake } from './follow.ts';
