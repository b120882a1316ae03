import { schemaOf } from '../wire/shape.ts';
import { version } from '../../package.json';
import type { Route } from './route.ts';

const problem = {
  type: 'object', required: ['type', 'title', 'status', 'detail'],
  properties: { type: { type: 'string' }, title: { type: 'string' }, status: { type: 'integer' }, detail: { type: 'string' } },
};

/** The routes and the shapes by which they are checked, as OpenAPI 3.1. */
export function openApi(routes: readonly Route[]): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path, about, query = {}, body, answer, status = 200 } of routes) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
    const inQuery = Object.entries(query).map(([name, description]) => ({ name, in: 'query', description, schema: { type: 'string' } }));
    const content = typeof answer === 'string' ? { [answer]: { schema: { type: 'string' } } } : { 'application/json': { schema: schemaOf(answer) } };
    paths[path] = {
      ...paths[path],
      [method]: {
        summary: about, parameters: [...inPath, ...inQuery],
        ...(body !== undefined && { requestBody: { required: true, content: { 'application/json': { schema: { ...schemaOf(body), additionalProperties: false } } } } }),
        responses: {
          [status]: { description: about, content },
          default: { description: 'Refused', content: { 'application/problem+json': { schema: problem } } },
        },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'sysg', version, description: 'What `sysg web` serves below /api/v1. Requests need the cookie of the page, or the token as a bearer.' },
    servers: [{ url: '/api/v1' }], security: [{ token: [] }], components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }, paths,
  };
}
