import { resolve } from 'node:path';
import { secretsOf } from '../secrets.ts';
import { parseEnvFile } from './env-file.ts';
import { interpolate, type Scope } from './interpolate.ts';
import { scalarText, scalarSchema, text, type JsonSchema } from './kind.ts';
import { below, complain, complainAbsent, complainExpected, entries, noteFormer, warn, type Place } from './place.ts';

export type Variables = ReadonlyMap<string, string>;

/** A resolved `env` block. */
export interface EnvBlock {
  /** As written, interpolated; `null` when it names no file. */
  readonly file: string | null;
  readonly fromFile: Variables;
  readonly vars: Variables;
}

export const emptyEnv: EnvBlock = { file: null, fromFile: new Map(), vars: new Map() };

export const envSchema: JsonSchema = {
  type: 'object',
  properties: {
    file: { description: 'An env file, relative to the directory of the config file.', ...scalarSchema },
    vars: { description: 'Variables.', type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
  },
  additionalProperties: scalarSchema,
};

/**
 * Resolves an `env` block: its file is looked up in `base`, its variables may refer to those of lower layers and to each
 * other. The variables of `under` stand above the file of this block.
 */
export function readEnv(place: Place, base: string, under: EnvBlock = emptyEnv): EnvBlock {
  if (place.node.kind !== 'map') return complainExpected(place, "a map of variables, or of 'file' and 'vars'") ?? emptyEnv;
  const filePlace = below(place, 'file');
  const file = filePlace === null ? undefined : text.read(filePlace);
  const fromFile = filePlace === null || file === undefined ? new Map<string, string>() : readEnvFile(filePlace, resolve(base, file));
  const vars = resolveVars(varPlaces(place), layered(place.scope, fromFile, under.vars));
  place.outside.learn(secretsOf(Object.fromEntries(vars)));
  return { file: file ?? null, fromFile, vars };
}

/** Looks names up in `over` first. */
export function layered(under: Scope, ...over: readonly Variables[]): Scope {
  return (name) => over.findLast((variables) => variables.has(name))?.get(name) ?? under(name);
}

/** The variables of `vars` and, under them, those written directly into the block. */
function varPlaces(place: Place): ReadonlyMap<string, Place> {
  const vars = below(place, 'vars');
  if (vars !== null && vars.node.kind !== 'map') complainExpected(vars, 'a map of variables');
  const written = [...entries(place).filter(([name]) => name !== 'file' && name !== 'vars'), ...(vars === null ? [] : entries(vars))];
  return new Map(written.filter(([name, variable]) => {
    const isName = name !== '' && !/[=\0]/.test(name);
    if (!isName) complain(variable, "expected a variable name without '=' and NUL");
    return isName;
  }));
}

/** Far below what the call stack allows. */
const maxReferenceDepth = 100;

/** Each value may refer to lower layers and to its neighbours; a reference to itself means the layer below. */
function resolveVars(places: ReadonlyMap<string, Place>, under: Scope): Variables {
  const done = new Map<string, string>();
  const open: string[] = [];
  const resolveOne = (name: string): string | undefined => {
    const place = places.get(name);
    const known = done.get(name);
    if (place === undefined || open.at(-1) === name) return under(name);
    if (known !== undefined) return known;
    const problem = open.includes(name)
      ? `variables refer to each other in a circle: ${[...open.slice(open.indexOf(name)), name].join(' -> ')}`
      : open.length >= maxReferenceDepth ? `variables refer to each other more than ${maxReferenceDepth} deep` : null;
    if (problem !== null) {
      complain(place, problem);
      return '';
    }
    open.push(name);
    const value = place.outside.inUse(name) ?? readValue({ ...place, scope: resolveOne });
    open.pop();
    done.set(name, value);
    return value;
  };
  for (const name of places.keys()) resolveOne(name);
  return done;
}

function readValue(place: Place): string {
  if (place.node.kind === 'scalar' && place.node.value === null) {
    // 0.33.0 takes what is written under `vars` as it stands, and a text alone as a value that is written directly.
    if (place.path.at(-2) !== 'vars') complain(place, 'expected a string, got nothing; write "" for an empty value');
    else if (place.node.text !== '') warn(place, `is the text ${JSON.stringify(place.node.text)}; write "" for an empty value`);
    return place.node.text;
  }
  const written = scalarText(place, 'a string');
  if (written === undefined) return '';
  const { text: value, problems } = interpolate(written, place.scope, 'text');
  for (const problem of problems) complainAbsent(place, problem);
  return value;
}

function readEnvFile(place: Place, path: string): Variables {
  const { outside } = place;
  const file = outside.readEnvFile(path);
  if (!file.ok) {
    complain(place, file.line === null ? file.message : `${path}:${file.line}: ${file.message}`);
    return new Map();
  }
  const { variables, problems, warnings, notes } = parseEnvFile(file.text);
  outside.learn([...variables].map(([name, value]) => ({ name, value })));
  outside.noteEnvFile(path, [...variables.keys()]);
  for (const [say, remarks] of [[complain, problems], [warn, warnings], [noteFormer, notes]] as const) {
    for (const { line, message } of remarks) say(place, `${path}:${line}: ${message}`);
  }
  return new Map([...variables].map(([name, value]) => [name, outside.inUse(name) ?? value]));
}
