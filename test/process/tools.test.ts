import { expect, onTestFinished, test, vi } from 'vitest';
import { pipeTool, runTool } from '../../src/process/tools.ts';
import { openSync, closeSync } from 'node:fs';

test('the tools of the system are found in the usual places where PATH is without them', async () => {
  vi.stubEnv('PATH', '/nonexistent');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(runTool('true', [])).toEqual({ ok: true });
  const nothing = openSync('/dev/null', 'r+');
  expect(await pipeTool('true', [], nothing, nothing)).toEqual({ ok: true });
  closeSync(nothing);
  expect(runTool('no-such-tool', [])).toEqual({ ok: false, missing: true, code: null, reason: 'no-such-tool was not found on PATH' });
});
