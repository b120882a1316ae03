import { expect, test } from 'vitest';
import { jsonSchema } from '../../src/config/root.ts';
import { refusals } from './config-dir.ts';

interface Described {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly anyOf?: readonly Described[];
  readonly additionalProperties?: Described | boolean;
}

const schema: Described = JSON.parse(JSON.stringify(jsonSchema()));
const service = schema.properties?.['services']?.additionalProperties;
const serviceProperties = typeof service === 'object' ? (service.properties ?? {}) : {};

test('every key at every level has a description', () => {
  const bare: string[] = [];
  const visit = (node: Described, path: string): void => {
    for (const [name, inner] of Object.entries(node.properties ?? {})) {
      if ((inner.description ?? '').length < 3) bare.push(`${path}.${name}`);
      visit(inner, `${path}.${name}`);
    }
    for (const alternative of node.anyOf ?? []) visit(alternative, path);
    if (typeof node.additionalProperties === 'object') visit(node.additionalProperties, `${path}.*`);
  };
  visit(schema, '');
  expect(bare).toEqual([]);
});

test('the keys of the schema are the keys that are read', () => {
  const all = Object.keys(serviceProperties);
  expect(all.length).toBe(33);
  const body = all.map((key) => `    ${key}: []`).join('\n');
  expect(refusals(`version: "1"\nservices:\n  web:\n${body}\n`).filter((problem) => problem.includes('unknown key'))).toEqual([]);
});

test('defaults are shown as they would be written', () => {
  expect([serviceProperties['stop_timeout']?.default, serviceProperties['backoff']?.default, serviceProperties['restart_policy']?.default]).toEqual([
    '10s', { initial: '1s', max: '1m', factor: 2, jitter: 0.1 }, 'never',
  ]);
});
