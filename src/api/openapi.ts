import type { QueryType, Route } from './route.ts';
import { newestVersion, oldestVersion } from './version.ts';

type Json = Record<string, unknown>;

const querySchemas: Readonly<Record<QueryType, Json>> = {
  string: { type: 'string' },
  strings: { type: 'array', items: { type: 'string' } },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  filters: { type: 'string', description: 'JSON: each filter with its values, as list or as object of true' },
  time: { type: 'string', description: 'Unix seconds with or without fraction, RFC 3339, or a duration back from now' },
};

const errorSchema = { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] };

function parametersOf({ path, doc }: Route): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(doc.query ?? {}).map(([name, type]) => ({
    name,
    in: 'query',
    schema: querySchemas[type],
  }));
  return [...inPath, ...inQuery];
}

function responsesOf({ doc, handler }: Route): Json {
  if (handler.kind === 'unbuilt') return { 501: { description: 'Not implemented yet' } };
  const described = doc.statuses.map((status): [number, Json] => {
    if (status >= 400) return [status, failure(status)];
    return [status, { description: doc.answer ?? 'Done' }];
  });
  return Object.fromEntries([...described, [400, failure(400)], [500, failure(500)]]);
}

function failure(status: number): Json {
  return {
    description: `Failure ${status}`,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  };
}

function bodyOf(body: string): Json {
  const type = body === 'stream' ? 'application/octet-stream' : 'application/json';
  return {
    description: body,
    content: {
      [type]: { schema: body === 'stream' ? { type: 'string', format: 'binary' } : { type: 'object', title: body } },
    },
  };
}

function operationOf(route: Route): Json {
  const { method, path, doc } = route;
  const words = path.split(/[/{}._-]+/).filter((word) => word !== '');
  if (path.endsWith('/')) words.push('slash');
  return {
    operationId: [method.toLowerCase(), ...words].join('_'),
    tags: [doc.tag],
    summary: doc.summary,
    parameters: parametersOf(route),
    ...(doc.body === undefined ? {} : { requestBody: bodyOf(doc.body) }),
    responses: responsesOf(route),
    ...(doc.since === undefined ? {} : { 'x-since': `1.${doc.since}` }),
  };
}

/** A description of these routes in OpenAPI 3.1. Every path may also be asked for behind `/v<version>`. */
export function openApi(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Berth Engine API',
      version: newestVersion,
      description: `Docker's Engine API, versions ${oldestVersion} to ${newestVersion}.`,
    },
    servers: [{ url: '/' }, { url: `/v${newestVersion}` }],
    paths,
    components: { schemas: { Error: errorSchema } },
  };
}
