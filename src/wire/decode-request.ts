import { isUtf8 } from 'node:buffer';
import { ControlError } from './control-error.ts';
import { REQUESTS, type Request, type Variant } from './requests.ts';
import { boolean, excerpt, isRecord, readTagged } from './shape.ts';

export type DecodedRequest =
  | { readonly ok: true; readonly request: Request }
  /** Its message is the text of the `Error` answer: 0.33.0's prefix, then a sentence of ours. */
  | { readonly ok: false; readonly error: ControlError };

/** One line in (with or without its newline), one request or one refusal out. Never throws. Takes every form that systemg 0.33.0 takes, and no other. */
export function decodeRequest(line: string | Uint8Array): DecodedRequest {
  if (typeof line !== 'string' && !isUtf8(line)) return { ok: false, error: new ControlError('io', 'stream did not contain valid UTF-8') };
  const trimmed = trimBlanks(typeof line === 'string' ? line : Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'));
  if (trimmed === '') return { ok: false, error: new ControlError('io', 'empty control command') };
  const request = readRequest(trimmed);
  return typeof request === 'string' ? { ok: false, error: new ControlError('serde', request) } : { ok: true, request };
}

/** Or what is wrong with it. */
function readRequest(line: string): Request | string {
  const tagged = readTagged(line);
  if (!tagged.ok) return tagged.error;
  const { tag, body } = tagged;
  const found = byVariant.get(tag);
  if (found === undefined) return `unknown variant \`${excerpt(tag)}\`, expected one of ${[...byVariant.keys()].map((name) => `\`${name}\``).join(', ')}`;
  const [kind, variant] = found;
  const written = tokensOf(line);
  if (written === null) return `nested more than ${DEPTH_LIMIT - 1} deep`;
  if (written.outer.length > 2) return `${tag}: given twice`;
  const { fields, flags } = variant;
  const names = [...Object.entries(fields).map(([key, { wire }]) => wire ?? key), ...Object.keys(flags)];
  if (names.length === 0) return body === null ? { kind } as Request : `${tag}: expected no fields`;
  const given = membersOf(body, written.inner, names, Object.keys(fields).length);
  return typeof given === 'string' ? `${tag}: ${given}` : readMembers(kind, variant, given);
}

/** A value and how it, or its opening bracket, is written. */
type Members = ReadonlyMap<string, { readonly value: unknown; readonly written: string }>;

/** The fields of a body by their names on the wire: an object in any order, or an array with all of them in order, of which flags may be left out. */
function membersOf(body: unknown, tokens: readonly string[], names: readonly string[], required: number): Members | string {
  const members = new Map<string, { value: unknown; written: string }>();
  if (Array.isArray(body)) {
    const size = required === names.length ? required : `${required} to ${names.length}`;
    if (body.length < required || body.length > names.length) return `expected ${size} elements, found ${body.length}`;
    for (const [index, value] of body.entries()) members.set(names[index] ?? '', { value, written: tokens[index] ?? '' });
    return members;
  }
  if (!isRecord(body)) return 'expected an object with its fields';
  for (let index = 0; index < tokens.length; index += 2) {
    const name = String(JSON.parse(tokens[index] ?? ''));
    if (!names.includes(name)) continue;
    if (members.has(name)) return `duplicate field \`${name}\``;
    members.set(name, { value: body[name], written: tokens[index + 1] ?? '' });
  }
  return members;
}

function readMembers(kind: Request['kind'], { variant, fields, flags }: Variant, given: Members): Request | string {
  const request: Record<string, unknown> = { kind };
  for (const [key, { shape, isOptional, wire }] of Object.entries(fields)) {
    const member = given.get(wire ?? key);
    if (member === undefined && !isOptional) return `${variant}: missing field \`${wire ?? key}\``;
    const { value, written } = member ?? { value: null, written: 'null' };
    const at = `${variant}.${wire ?? key}`;
    // A number where a text belongs is the shape's to refuse.
    const isOdd = typeof value === 'number' && shape(1, at) === null && !isInteger(written);
    const problem = isOdd ? `${at}: expected a whole number below 2^64, found ${excerpt(written)}` : shape(value, at);
    if (problem !== null) return problem;
    // Above 2^53 − 1 a number is taken as that: as seconds, as lines, as a sequence number it means "without end" either way.
    request[key] = typeof value === 'number' ? Math.min(value, Number.MAX_SAFE_INTEGER) : value;
  }
  for (const [key, usual] of Object.entries(flags)) {
    const value = given.get(key)?.value ?? usual;
    const problem = boolean(value, `${variant}.${key}`);
    if (problem !== null) return problem;
    request[key] = value;
  }
  // Each value has the shape that its type is made of.
  return request as Request;
}

/**
 * What `JSON.parse` forgets of a text that it took: names that come twice, and how numbers are written. The names and values of a request, then those of
 * its fields, each as it is written, of a list or an object the opening bracket. Null: it is nested deeper than 0.33.0 reads.
 */
function tokensOf(json: string): { readonly outer: readonly string[]; readonly inner: readonly string[] } | null {
  const levels: [nothing: string[], outer: string[], inner: string[]] = [[], [], []];
  let depth = 0;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '}' || token === ']') {
      depth -= 1;
      continue;
    }
    levels[depth]?.push(token);
    if (token === '{' || token === '[') depth += 1;
    if (depth >= DEPTH_LIMIT) return null;
  }
  return { outer: levels[1], inner: levels[2] };
}

/** As 0.33.0 reads them: `5.0`, `1e2` and `-0` are floating point to it. */
function isInteger(written: string): boolean {
  return /^\d{1,20}$/.test(written) && BigInt(written) < 2n ** 64n;
}

/** Rust's `str::trim`: White_Space at both ends, which is not quite what `String.prototype.trim` takes off. */
function trimBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && BLANK.test(line.charAt(end - 1))) end -= 1;
  return line.slice(0, end).replace(/^\p{White_Space}+/u, '');
}

const BLANK = /^\p{White_Space}$/u;
const TOKEN = /"(?:[^"\\]+|\\.)*"|[{}[\]]|[-+.\w]+/g;
const DEPTH_LIMIT = 128;

const byVariant = new Map(Object.entries(REQUESTS).map(([kind, variant]) => [variant.variant, [kind as Request['kind'], variant as Variant]] as const));
