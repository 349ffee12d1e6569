// Writes schema/openapi.json, the OpenAPI description of the gateway: its operations from src/gateway/operations.ts, its bodies from the types
// of src/gateway/types.ts. Run it after a build.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import swagger from '@fastify/swagger';
import { fastify } from 'fastify';
import { createGenerator } from 'ts-json-schema-generator';
import { OPERATIONS } from '../dist/gateway/operations.js';

// Generators of clients often know only the first type.
const LIST_BODY = ['application/octet-stream', 'text/csv', 'application/x-ndjson'];

/** What each operation takes in its body, and its answers by status: a type, `null` without a body, or content types of a stream. */
const BODIES = {
  about: { answers: { 200: 'About' } },
  getOverview: { answers: { 200: 'Overview' } },
  startSession: { body: 'StartSessionRequest', answers: { 200: 'StartedSession', 201: 'StartedSession' } },
  listSessions: { answers: { 200: 'SessionList' } },
  getSession: { answers: { 200: 'SessionView' } },
  finishSession: {
    body: 'FinishSessionRequest',
    answers: { 200: 'FinishedSession', 202: 'PendingSession' },
  },
  renewToken: { body: 'TokenRequest', answers: { 204: null } },
  extendDeadline: {
    headers: ['Idempotency-Key'],
    body: 'DeadlineRequest',
    answers: { 200: 'ExtendedDeadline' },
  },
  cancelSession: { answers: { 202: 'CancelRequested' } },
  startBatch: {
    streamed: LIST_BODY,
    answers: { 202: 'StartedBatch' },
  },
  listBatches: { answers: { 200: 'BatchList' } },
  getBatch: { answers: { 200: 'BatchStatus' } },
  getBatchResults: { answers: { 200: ['application/x-ndjson', 'text/csv'] } },
  pauseBatch: { answers: { 200: 'ShardsSignaled' } },
  resumeBatch: { answers: { 200: 'ShardsSignaled' } },
  stopBatch: { answers: { 202: 'StopRequested' } },
  startPerson: { body: 'StartPersonRequest', answers: { 200: 'StartedPersonView', 201: 'StartedPersonView' } },
  listPeople: { answers: { 200: 'PersonList' } },
  getPerson: { answers: { 200: 'PersonView' } },
  replaceImage: { body: 'ReplaceImageInput', answers: { 204: null } },
  cancelPerson: { answers: { 202: 'PersonCancelRequested' } },
  watchEvents: { answers: { 200: ['text/event-stream'] } },
};

/** The files that define the named types. */
const FILES = [
  'gateway/types',
  'contract/types',
  'contract/capture-workflow',
  'client/batch/types',
  'client/list/overview',
];

const root = fileURLToPath(new URL('..', import.meta.url));
const [file = join(root, 'schema', 'openapi.json')] = process.argv.slice(2);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(await description(), null, 2)}\n`);

async function description() {
  const app = fastify();
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'temporal-incode gateway',
        description: 'Incode onboarding sessions, batches and people from images. docs/gateway.md explains it.',
        version: '1',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    refResolver: { buildLocalReference: ({ $id }) => $id },
  });
  for (const [name, schema] of Object.entries(schemas())) app.addSchema({ $id: name, ...schema });
  for (const [operationId, { method, path, scopes, query }] of Object.entries(OPERATIONS)) {
    const url = path.replace(/\{(\w+)\}/g, ':$1');
    app.route({ method, url, schema: schemaOf(operationId, path, scopes, query), handler: async () => undefined });
  }
  await app.ready();
  return app.swagger();
}

function schemaOf(operationId, path, scopes, query) {
  const bodies = BODIES[operationId];
  if (!bodies) throw new Error(`scripts/openapi.js: what does ${operationId} take and answer? Add it to BODIES`);
  const { headers, body, streamed, answers } = bodies;
  const params = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return {
    operationId,
    description: `Needs the scope ${scopes.join(' or ')}.`,
    ...(params.length > 0 && { params: texts(params, true) }),
    ...(query && { querystring: texts(query, false) }),
    ...(headers && { headers: texts(headers, true) }),
    ...(body && { body: reference(body) }),
    ...(streamed && { body: { content: contentOf(streamed) } }),
    response: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])),
      default: {
        description: 'A problem as in RFC 9457.',
        content: { 'application/problem+json': { schema: reference('Problem') } },
      },
    },
  };
}

function answerOf(answer) {
  if (answer === null) return { description: 'Done.', type: 'null' };
  if (Array.isArray(answer)) return { description: 'A stream.', content: contentOf(answer) };
  return { description: answer, content: { 'application/json': { schema: reference(answer) } } };
}

function contentOf(types) {
  const schemaOfType = (type) => ({ type: 'string', ...(type === 'application/octet-stream' && { format: 'binary' }) });
  return Object.fromEntries(types.map((type) => [type, { schema: schemaOfType(type) }]));
}

function reference(name) {
  return { $ref: `${name}#` };
}

function texts(names, areRequired) {
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  return { type: 'object', properties, ...(areRequired && { required: names }) };
}

/** Every type that a body consists of, by name. */
function schemas() {
  const generator = createGenerator({
    path: join(root, 'src', `{${FILES.join(',')}}.ts`),
    tsconfig: join(root, 'tsconfig.json'),
    additionalProperties: true,
    // The package's own compiler checks the types; the generator only reads them.
    skipTypeCheck: true,
  });
  const names = Object.values(BODIES).flatMap(({ body, answers }) => [body, ...Object.values(answers)]);
  const types = new Set([...names.filter((name) => typeof name === 'string'), 'Problem']);
  const definitions = Object.assign({}, ...[...types].map((type) => generator.createSchema(type).definitions));
  return Object.fromEntries(
    Object.entries(definitions)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, schema]) => [plain(name), renamed(schema)]),
  );
}

/** Generic types have names that are no identifiers. */
function plain(name) {
  return decodeURIComponent(name).replace(/\W+/g, '_').replace(/_$/, '');
}

function renamed(value) {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key === '$ref' ? `${plain(part.replace('#/definitions/', ''))}#` : renamed(part),
    ]),
  );
  // A default is a value and its reason: `@default "7 days": the reason`.
  const [, json] = typeof parts.default === 'string' ? (/^("[^"]*")(?::.*)?$/s.exec(parts.default) ?? []) : [];
  return json === undefined ? parts : { ...parts, default: JSON.parse(json) };
}
