import { onTestFinished, vi } from 'vitest';
import * as tools from '../../src/process/tools.ts';

/** Until the end of the test no tool of the system is found. */
export function withoutTools(): void {
  const missing = (tool: string): tools.ToolResult => ({ ok: false, missing: true, code: null, reason: `${tool} was not found on PATH` });
  const spies = [
    vi.spyOn(tools, 'runTool').mockImplementation(missing),
    vi.spyOn(tools, 'pipeTool').mockImplementation(async (tool) => missing(tool)),
  ];
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
}
