import { envSchema } from './env.ts';
import { raw, scalarSchema, text } from './kind.ts';
import { metrics } from './metrics.ts';
import { optional, recordSchema, required } from './record.ts';
import { defaultableKeys, serviceKeys } from './service.ts';

/** The keys of the file itself. */
export const rootKeys = {
  version: required(raw(scalarSchema), 'Version of the format: "1".'),
  services: required(raw({ type: 'object', additionalProperties: recordSchema(serviceKeys) }), 'The services by name.'),
  env: optional(raw(envSchema), 'Variables of all services: directly, or in `vars` beside a `file`.'),
  metrics: optional(raw(metrics.schema), 'How long and how often metrics are sampled.'),
  defaults: optional(raw(recordSchema(defaultableKeys)), 'Service keys used where a service says nothing.'),
  project_dir: optional(text, 'Has no effect: always the directory of the file.'),
};
