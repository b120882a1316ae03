import { masked } from '../masked.ts';
import { isSecretName, noSecrets, type Secrets } from '../secrets.ts';
import { parseSource, type Finding, type Position, type SourceNode } from './document.ts';
import type { Scope } from './interpolate.ts';
import { overlaidAll } from './overlay.ts';
import type { Outside, Place } from './place.ts';
import { readText } from './source-file.ts';

/** Something wrong, or worth a warning, at a place of a file. */
export interface ConfigProblem extends Position {
  readonly file: string;
  /** `services.web.max_restarts`; empty outside any key. */
  readonly path: string;
  readonly message: string;
}

export interface OpenSource {
  readonly root: Place;
  /** What was said until now about the text, in the order of the text; without `withFormer` nothing about systemg 0.33.0. */
  readonly said: (level: Finding['level'], withFormer?: boolean) => readonly ConfigProblem[];
  /** What is to be said of a place after the text was read. */
  readonly sayOf: (place: Place, message: string) => ConfigProblem;
}

/** One of the texts that are laid over each other. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** Reads YAML, of several texts one tree, or takes a tree that was read before; `scope` gives the variables that its texts may refer to. An empty text is an empty map. What is said shows no value of `secrets`. */
export function openSource(file: string, given: readonly SourceText[] | SourceNode, scope: Scope, secrets: Secrets = noSecrets, outside: Partial<Outside> = {}): OpenSource {
  const findings: Finding[] = [];
  const sources = 'kind' in given ? [{ file, base: 0, root: given, brokenAt: null, incomplete: false, locate: () => nowhere }] : parsed(given, findings);
  const sourceOf = (offset: number) => sources.findLast(({ base }) => base <= offset) ?? sources[0];
  const incomplete = sources.some((source) => source.incomplete);
  /** Only consequences of a broken syntax are left out; the errors of the syntax itself have no path. */
  const trustworthy = ({ absent, offset, path }: Finding): boolean => {
    const brokenAt = sourceOf(offset)?.brokenAt ?? null;
    return !(absent === true && incomplete) && (brokenAt === null || offset < brokenAt || path.length === 0);
  };
  const where = (offset: number) => {
    const source = sourceOf(offset);
    return { file: source?.file ?? file, ...(source?.locate(offset) ?? nowhere) };
  };
  const node = overlaidAll(sources.flatMap(({ root }) => root ?? []));
  const problemAt = ({ offset, path, message }: Pick<Finding, 'offset' | 'path' | 'message'>): ConfigProblem => {
    const problem = { ...where(offset), path: formatPath(path), message };
    return secrets === noSecrets ? problem : masked({ ...problem, excerpt: withoutSecrets(problem.excerpt) }, secrets.mask);
  };
  return {
    root: { node: node ?? { kind: 'map', offset: 0, entries: [] }, keyOffset: 0, path: [], scope: learning(scope, secrets), findings, outside: { ...plainOutside, learn: secrets.learn, ...outside } },
    said: (level, withFormer = true) => distinct(findings.filter((finding) => finding.level === level && (withFormer || finding.former !== true) && trustworthy(finding)))
      .map(problemAt),
    sayOf: ({ node, path }, message) => problemAt({ offset: node.offset, path, message }),
  };
}

/** Offsets go on from one text to the next. */
function parsed(texts: readonly SourceText[], findings: Finding[]) {
  let next = 0;
  return texts.map(({ file, text }) => {
    const base = next;
    next += text.length + 1;
    return { file, base, ...parseSource(text, findings, base) };
  });
}

const nowhere = { line: 0, column: 0, excerpt: '' };

const plainOutside: Outside = {
  learn: () => undefined, readEnvFile: (path) => readText(path, 'Failed to read env file'), noteEnvFile: () => undefined, inUse: () => undefined,
};

/** A line of YAML up to what stands under a secret name. */
function withoutSecrets(line: string): string {
  const secret = [...line.matchAll(/([\w-]+)["']?\s*:\s+(?=\S)/g)].find(([, name = '']) => isSecretName(name));
  return secret === undefined ? line : `${line.slice(0, secret.index + secret[0].length)}***`;
}

/** Whatever a text takes from the environment is secret from then on. */
function learning(scope: Scope, { learn }: Secrets): Scope {
  return (name) => {
    const value = scope(name);
    if (value !== undefined) learn([{ name, value }]);
    return value;
  };
}

/** Of the file as a whole, or of a line of it. */
export function problemOfFile(file: string, message: string, line: number | null = null): ConfigProblem {
  return { file, line: line ?? 0, column: line === null ? 0 : 1, path: '', message, excerpt: '' };
}

/** `<file>:<line>:<column>: <key path>: <message>` */
export function formatProblem(problem: ConfigProblem): string {
  // A file that cannot be read is named by the message itself.
  if (problem.message.endsWith(`(${problem.file})`) && problem.line === 0) return problem.message;
  const where = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  return [where, problem.path, problem.message].filter((part) => part !== '').join(': ');
}

/** All problems for a client of the socket: 0.33.0 begins with what went wrong, a missing file or the form of its content. */
export function wireError(problems: readonly ConfigProblem[]): string {
  const [first] = problems;
  if (first !== undefined && first.line === 0) return problems.map(({ message }) => message).join('\n');
  const aboutDependencies = first !== undefined && /^(Service '|Detected dependency cycle)/.test(first.message);
  return `${aboutDependencies ? '' : 'Invalid YAML format: '}${problems.map(formatProblem).join('\n')}`;
}

/** The same thing said of the same place once; an alias or a default is read once for each of its users. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  const fresh = findings.filter(({ offset, message }) => {
    const known = seen.has(`${offset} ${message}`);
    seen.add(`${offset} ${message}`);
    return !known;
  });
  return fresh.toSorted((left, right) => left.offset - right.offset);
}

/** `services.web.env`; a key that is not a plain word is quoted. */
function formatPath(path: readonly string[]): string {
  return path.map((key) => (/^[\p{L}\p{N}_@%+-]+$/u.test(key) ? key : JSON.stringify(key))).join('.');
}
