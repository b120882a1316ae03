import { expect, test } from 'vitest';
import type { StatusAnswer } from '../../src/cli/ask.ts';
import type { Call } from '../../src/cli/call.ts';
import { shareStatus } from '../../src/web/records.ts';

test('requests share an answer that was asked for after each of them, and at most one waits', async () => {
  const open: ((answer: StatusAnswer) => void)[] = [];
  const answers = ['one', 'two', 'three'].map((name) => ({ ok: true, snapshot: name }) as unknown as StatusAnswer);
  const status = shareStatus({} as Call, () => new Promise((give) => void open.push(give)));
  const first = status();
  const others = [status(), status()];
  expect(open).toHaveLength(1);
  open[0]?.(answers[0] as StatusAnswer);
  expect(await first).toBe(answers[0]);
  expect(open).toHaveLength(2);
  const late = status();
  open[1]?.(answers[1] as StatusAnswer);
  expect(await Promise.all(others)).toEqual([answers[1], answers[1]]);
  expect(open).toHaveLength(3);
  open[2]?.(answers[2] as StatusAnswer);
  expect(await late).toBe(answers[2]);
  void status();
  expect(open).toHaveLength(4);
});
