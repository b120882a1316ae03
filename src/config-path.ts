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

/** No file that sysg takes for a configuration has a line end in its name. */
const SEPARATOR = '\n';
