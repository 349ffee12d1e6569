import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listedPerson } from '../client/list/listed.js';
import { listPage } from '../client/list/page.js';
import { queryFor, STATUSES } from '../client/list/query.js';
import { checkReference } from '../contract/capture.js';
import { type CaptureInput, checkReplaceImageInput } from '../contract/index.js';
import { LONG_CAPTURE_STAGES } from '../contract/long-stages.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { fieldsOf, oneOf, queryOf } from './body.js';
import { type RequestContext, route } from './guard.js';
import { OPERATIONS } from './operations.js';
import type { GatewaySettings } from './options.js';
import { batchIdOf, limitOf, timeoutOf } from './parameters.js';
import type { PersonCancelRequested, PersonList, PersonView, StartedPersonView } from './types.js';
import { personView } from './views.js';
import type { Waits } from './waits.js';

const START_FIELDS = [
  'reference',
  'front',
  'back',
  'selfie',
  'configurationId',
  'countryCode',
  'customFields',
  'plan',
  'retryFailed',
  'batchId',
] as const;

export function peopleRoutes(app: FastifyInstance, { client }: GatewaySettings, waits: Waits): void {
  const { people } = client;

  route(app, 'startPerson', async (request, reply, { subject }): Promise<StartedPersonView> => {
    const { retryFailed, batchId, ...input } = fieldsOf(request, START_FIELDS);
    subject.reference = checkReference(input.reference);
    const started = await people.start(input as unknown as CaptureInput, {
      retryFailed: oneOf('retryFailed', retryFailed, [true, false]) ?? false,
      ...omitUndefined({ batchId: batchIdOf(batchId) }),
    });
    reply.code(started.attached ? 200 : 201).header('location', locationOf(started.reference));
    return started;
  });

  route(app, 'getPerson', async (request, _reply, context): Promise<PersonView> => {
    return personView(await people.state(personOf(request, context)), context.caller);
  });

  route(app, 'listPeople', async (request): Promise<PersonList> => {
    const { stage, status, batch, cursor, limit } = queryOf(request, OPERATIONS.listPeople.query);
    const filter = {
      stage: oneOf('stage', stage, LONG_CAPTURE_STAGES),
      status: oneOf('status', status, STATUSES),
      batch: batchIdOf(batch, 'batch'),
    };
    const query = queryFor({ people: true, ...omitUndefined(filter) });
    const page = await listPage(client.temporal, query, { limit: limitOf(limit), cursor });
    return { items: page.items.map(listedPerson), cursor: page.cursor };
  });

  route(app, 'replaceImage', async (request, reply, context) => {
    const reference = personOf(request, context);
    const { side, image } = checkReplaceImageInput(fieldsOf(request, ['side', 'image']));
    // With a digest, the same request means the same image. Without one, the image at the address may be another one by now.
    const updateId = `gateway-image-${createHash('sha256')
      .update(JSON.stringify([side, image]))
      .digest('base64url')}`;
    const timeoutMs = timeoutOf(request);
    await waits.during(request, reply, (signal) =>
      people.replaceImage(reference, side, image, {
        ...{ timeoutMs, signal },
        ...(image.sha256 === undefined ? {} : { updateId }),
      }),
    );
    return reply.code(204).send();
  });

  route(app, 'cancelPerson', async (request, reply, context): Promise<PersonCancelRequested> => {
    const reference = personOf(request, context);
    fieldsOf(request, []);
    await people.cancel(reference);
    reply.code(202).header('location', locationOf(reference));
    return { reference, cancelRequested: true };
  });
}

/** The person of the path, whom the audit log names. @throws InvalidInputError */
function personOf({ params }: FastifyRequest, { subject }: RequestContext): string {
  subject.reference = checkReference((params as { reference: string }).reference);
  return subject.reference;
}

function locationOf(reference: string): string {
  return `/v1/people/${encodeURIComponent(reference)}`;
}
