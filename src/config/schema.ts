import type { JsonSchema } from './kind.ts';
import { recordSchema } from './record.ts';
import { rootKeys } from './root.ts';

/** JSON Schema (draft 2020-12) of the configuration file, from the definitions that read it. */
export function jsonSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'sysg configuration',
    ...recordSchema(rootKeys),
  };
}
