/** Whether a failure of the file system carries one of these codes, `ENOENT`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
