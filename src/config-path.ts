/**
 * A configuration is one file, or several that are laid over each other: their absolute paths, one a line, wherever a program keeps or sends the path of a
 * configuration. What is relative in them is taken from the directory of the first.
 */
export function joinConfigPaths(paths: readonly string[]): string {
  return paths.join(SEPARATOR);
}

export function configPaths(reference: string): readonly [string, ...string[]] {
  const [first = '', ...others] = reference.split(SEPARATOR);
  return [first, ...others];
}

export function firstConfigPath(reference: string): string {
  return configPaths(reference)[0];
}

/** For sentences. */
export function shownConfigPath(reference: string): string {
  return configPaths(reference).join(' + ');
}

/** Why a path cannot be that of a configuration, nor of the directory in which units from the command line have theirs; else null. */
export function lineEndProblem(path: string): string | null {
  if (!path.includes(SEPARATOR)) return null;
  return `${JSON.stringify(path)} has a line end in its name: expected a path without one, since the paths of a configuration are noted one a line`;
}

const SEPARATOR = '\n';
