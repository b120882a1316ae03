/** `sun_path` of unix(7), less its closing NUL. */
const PATH_LIMIT_BYTES = process.platform === 'linux' ? 107 : 103;

/** Why a path cannot name a Unix socket, or `null`. Node would cut a long path short without a word. */
export function socketPathProblem(path: string): string | null {
  const sizeBytes = Buffer.byteLength(path);
  if (path.includes('\0')) return `socket path ${JSON.stringify(path)} contains a NUL byte`;
  if (sizeBytes <= PATH_LIMIT_BYTES) return null;
  return `socket path ${path} has ${sizeBytes} bytes, at most ${PATH_LIMIT_BYTES} are possible; use a shorter HOME`;
}
