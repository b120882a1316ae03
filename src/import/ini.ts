import { refuse, type Refused } from '../errors.ts';
import type { SourceComment, Sourced } from '../yaml-text.ts';

export interface IniSection {
  readonly name: string;
  readonly node: Sourced;
}

export type ReadIni = { readonly ok: true; readonly sections: readonly IniSection[]; readonly comments: readonly SourceComment[] } | Refused;

/**
 * Reads an INI file as supervisord does (Python's `RawConfigParser` with `;` and `#` for comments within lines): a line that is further indented than the key
 * above goes on with the value of that key, `=` or `:` parts name and value, names of keys are in lower case.
 */
export function readIni(text: string, file: string): ReadIni {
  const sections: { readonly name: string; readonly line: number; readonly entries: Map<string, Sourced>; endLine: number }[] = [];
  const comments: SourceComment[] = [];
  let key: string | null = null;
  let indent = 0;
  for (const [index, whole] of text.replace(/^\ufeff/, '').split(/\r?\n/).entries()) {
    const line = index + 1;
    const comment = /(^\s*|\s)[;#]/.exec(whole);
    const written = comment === null ? whole : whole.slice(0, comment.index + (comment[1] ?? '').length);
    if (comment !== null) comments.push({ line, text: whole.slice(comment.index + comment[0].length).trimEnd(), alone: written.trim() === '' });
    const section = sections.at(-1);
    if (written.trim() === '') continue;
    const above = key === null ? undefined : section?.entries.get(key);
    if (section !== undefined && key !== null && above !== undefined && indentOf(written) > indent) {
      section.endLine = line;
      section.entries.set(key, { ...above, endLine: line, value: `${String(above.value)}\n${written.trim()}` });
      continue;
    }
    indent = indentOf(written);
    const header = /^\s*\[([^\]]+)\]\s*$/.exec(written)?.[1];
    if (header !== undefined) {
      sections.push({ name: header.trim(), line, entries: new Map(), endLine: line });
      key = null;
      continue;
    }
    const got = (): string => JSON.stringify(whole.trim().slice(0, 60));
    if (section === undefined) return refuse(`${file}:${line}: expected a section such as [program:web], got ${got()}`);
    section.endLine = line;
    const [, name, value = ''] = /^\s*([^=:]+?)\s*[=:]\s*(.*?)\s*$/.exec(written) ?? [];
    if (name === undefined) return refuse(`${file}:${line}: expected NAME=value, got ${got()}`);
    key = name.toLowerCase();
    section.entries.set(key, { file, line, endLine: line, value, entries: null, items: null });
  }
  return {
    ok: true, comments, sections: sections.map(({ name, line, endLine, entries }) => ({ name, node: { file, line, endLine, value: null, entries, items: null } })),
  };
}

function indentOf(line: string): number {
  return line.search(/\S/);
}
