import { beforeEach } from 'vitest';
import { notPassing } from './not-passing.ts';

const names = notPassing.map(({ test }) => test);

beforeEach((context) => {
  if (names.includes(context.task.name)) context.skip();
});
