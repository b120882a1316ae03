/** Looks at a value read from JSON: what is wrong with it and where, or `null` when it has the shape. */
export type Shape = (value: unknown, at: string) => string | null;

export const anything: Shape = () => null;
export const string: Shape = (value, at) => (typeof value === 'string' ? null : expected('a string', value, at));
export const number: Shape = (value, at) => (typeof value === 'number' ? null : expected('a number', value, at));
export const boolean: Shape = (value, at) => (typeof value === 'boolean' ? null : expected('a boolean', value, at));
export const count: Shape = (value, at) =>
  (typeof value === 'number' && Number.isInteger(value) && value >= 0 ? null : expected('a whole number ≥ 0', value, at));

export function oneOf(...words: readonly string[]): Shape {
  return (value, at) => (typeof value === 'string' && words.includes(value) ? null : expected(`one of ${words.join(', ')}`, value, at));
}

export function nullable(shape: Shape): Shape {
  return (value, at) => (value === null ? null : shape(value, at));
}

export function list(element: Shape): Shape {
  return (value, at) => {
    if (!Array.isArray(value)) return expected('a list', value, at);
    for (const [index, item] of value.entries()) {
      const problem = element(item, `${at}[${index}]`);
      if (problem !== null) return problem;
    }
    return null;
  };
}

/** Unknown keys are let through: they are a newer server's. */
export function record(required: Readonly<Record<string, Shape>>, optional: Readonly<Record<string, Shape>> = {}): Shape {
  const fields = [...Object.entries(required), ...Object.entries(optional)];
  return (value, at) => {
    if (!isRecord(value)) return expected('an object', value, at);
    for (const [key, shape] of fields) {
      const field = value[key];
      if (field === undefined) {
        if (Object.hasOwn(required, key)) return `${at}: missing field \`${key}\``;
        continue;
      }
      const problem = shape(field, `${at}.${key}`);
      if (problem !== null) return problem;
    }
    return null;
  };
}

/** A shape that may contain itself. */
export function recursive(make: () => Shape): Shape {
  let made: Shape | null = null;
  return (value, at) => {
    made ??= make();
    return made(value, at);
  };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function expected(what: string, value: unknown, at: string): string {
  const found = JSON.stringify(value) ?? 'nothing';
  return `${at}: expected ${what}, found ${found.length > 60 ? `${found.slice(0, 60)}…` : found}`;
}
