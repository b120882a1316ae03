import { attempt } from '../errors.ts';

/** What is wrong with a value read from JSON, a sentence that begins with `at`, the place; or `null` when the value has the shape. */
export interface Shape<T> {
  (value: unknown, at: string): string | null;
  /** Never there: it carries the type of a value of this shape. */
  readonly type?: T;
  /** The shape in JSON Schema, for descriptions of interfaces; absent where a function alone says what fits. */
  readonly schema?: () => JsonSchema;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The shape in JSON Schema; anything where the shape does not say. */
export function schemaOf({ schema }: Shape<unknown>): JsonSchema {
  return schema?.() ?? {};
}

function described<T>(schema: () => JsonSchema, check: Shape<T>): Shape<T> {
  return Object.assign(check, { schema });
}

/** The type of the values of a shape. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Values<F extends Fields> = { readonly [K in keyof F]: Shaped<F[K]> };

export const string: Shape<string> = described(() => ({ type: 'string' }), (value, at) => (typeof value === 'string' ? null : unexpected('a string', value, at)));
export const number: Shape<number> = described(() => ({ type: 'number' }), (value, at) => (Number.isFinite(value) ? null : unexpected('a number', value, at)));
export const boolean: Shape<boolean> = described(() => ({ type: 'boolean' }), (value, at) => (typeof value === 'boolean' ? null : unexpected('a boolean', value, at)));
export const count: Shape<number> = whole(0);

export function whole(lowest: number): Shape<number> {
  return described(() => ({ type: 'integer', minimum: lowest }), (value, at) => (
    typeof value === 'number' && Number.isInteger(value) && value >= lowest ? null : unexpected(`a whole number ≥ ${lowest}`, value, at)));
}

export function oneOf<const W extends string | number>(...words: readonly W[]): Shape<W> {
  return described(() => ({ enum: words }), (value, at) => ((words as readonly unknown[]).includes(value) ? null : unexpected(`one of ${words.join(', ')}`, value, at)));
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return described(() => ({ anyOf: [schemaOf(shape), { type: 'null' }] }), (value, at) => (value === null ? null : shape(value, at)));
}

export function list<T>(element: Shape<T>): Shape<readonly T[]> {
  return described(() => ({ type: 'array', items: schemaOf(element) }), (value, at) => {
    if (!Array.isArray(value)) return unexpected('a list', value, at);
    // Places are put together only for what is wrong: those of a thousand units would take longer to write than the units to look at.
    for (const [index, item] of value.entries()) {
      const problem = element(item, '');
      if (problem !== null) return `${at}[${index}]${problem}`;
    }
    return null;
  });
}

/** Unknown keys are let through: they are a newer server's. */
export function record<R extends Fields, O extends Fields = Record<never, never>>(required: R, optional?: O): Shape<Values<R> & Partial<Values<O>>> {
  const fields = [required, optional ?? {}].flatMap((some: Fields) => Object.entries(some).map(([key, shape]) => ({ key, shape, isRequired: some === required })));
  const schema = (): JsonSchema => ({
    type: 'object', properties: Object.fromEntries(fields.map(({ key, shape }) => [key, schemaOf(shape)])), required: Object.keys(required),
  });
  return described(schema, (value, at) => {
    if (!isRecord(value)) return unexpected('an object', value, at);
    for (const { key, shape, isRequired } of fields) {
      const field = value[key];
      if (field === undefined && !isRequired) continue;
      if (field === undefined) return `${at}: missing field \`${key}\``;
      const problem = shape(field, '');
      if (problem !== null) return `${at}.${key}${problem}`;
    }
    return null;
  });
}

/** An object with values of one shape under whatever keys. */
export function map<T>(element: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return described(() => ({ type: 'object', additionalProperties: schemaOf(element) }), (value, at) => {
    if (!isRecord(value)) return unexpected('an object', value, at);
    return Object.entries(value).map(([key, inner]) => element(inner, `${at}.${key}`)).find((problem) => problem !== null) ?? null;
  });
}

/** Throws a sentence with the place, what was expected there and what was found. */
export function check<Value>(value: unknown, shape: Shape<Value>, at: string): asserts value is Value {
  const problem = shape(value, at);
  if (problem !== null) throw new Error(problem);
}

/** What a text says in JSON; null: it is not JSON, or says something of another shape. */
export function readJson<T>(text: string, shape: Shape<T>): T | null {
  const value: unknown = attempt(() => JSON.parse(text) as unknown, undefined);
  return shape(value, 'value') === null ? value as T : null;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function unexpected(what: string, value: unknown, at: string): string {
  return `${at}: expected ${what}, found ${excerpt(JSON.stringify(value) ?? 'nothing')}`;
}

/** Enough of a text to recognise it by. */
export function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export type Tagged = { readonly ok: true; readonly tag: string; readonly body: unknown } | { readonly ok: false; readonly error: string };

/** A variant as Rust's serde writes it: a bare name, or an object with that one key. Never throws. */
export function readTagged(line: string): Tagged {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, error: `not JSON: ${error.message}` };
    throw error;
  }
  if (typeof value === 'string') return { ok: true, tag: value, body: null };
  const [entry, ...rest] = isRecord(value) ? Object.entries(value) : [];
  if (entry === undefined || rest.length > 0) return { ok: false, error: `expected a variant name or an object with one key, found ${excerpt(line)}` };
  return { ok: true, tag: entry[0], body: entry[1] };
}
