import { readFileSync, statSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { discoverConfig, type DiscoverOptions } from './discover.ts';

/**
 * The project of the configuration that a command means: every command has to know it, and most never read the file otherwise. Null: there is no such
 * file, or it names none.
 */
export function projectOf(options: DiscoverOptions): string | null {
  const found = discoverConfig(options);
  if (!('path' in found)) return null;
  // What a pipe holds can be read once, by the command itself.
  // The command says what is wrong with the file.
  return attempt(() => statSync(found.path).isFile() ? projectIn(readFileSync(found.path, 'utf8')) : null, null);
}

/** The value of the key `project` of the root, as it stands: in YAML a key of the root begins at the column of the first key. */
export function projectIn(text: string): string | null {
  const [, indent = '', first = ''] = /^(?:[ \t]*(?:#.*|---[ \t]*(?:#.*)?|%.*)?\r?\n)*([ \t]*)(\S)/.exec(text.replace(/^\ufeff/, '')) ?? [];
  const value = String.raw`[ \t]*:[ \t]+("[^"\n]*"|'[^'\n]*'|[^\s#,{}"'&*!|>][^#,{}\n]*?)[ \t]*`;
  const key = String.raw`(?:project|"project"|'project')`;
  const pattern = first === '{' ? String.raw`[{,]\s*${key}${value}(?:[,}\n]|$)` : String.raw`^${indent}${key}${value}(?:\s#.*)?\r?$`;
  const found = new RegExp(pattern, 'm').exec(text.replace(/^\ufeff/, ''))?.[1];
  return found?.replace(/^(["'])(.*)\1$/s, '$2') ?? null;
}
