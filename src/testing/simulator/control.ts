import { parseObject } from './answer.js';
import type { World } from './server.js';
import type { Fault, RateLimit, SessionSpec, WebhookTarget } from './types.js';

interface Controlled {
  status: number;
  body: unknown;
}

/** The simulator's own API, for tests in other languages. It needs no key: the simulator listens on this machine only. */
export async function control(
  world: World,
  method: string,
  path: string,
  body: string | undefined,
): Promise<Controlled> {
  const fields = parseObject(body ?? '');
  if (!fields) return { status: 400, body: { error: 'The body must be a JSON object' } };
  const [resource, id, part] = path.slice('/_simulator/'.length).split('/').map(decodeURIComponent);
  const known = id === undefined || resource !== 'sessions' || world.sessions.find(id) !== undefined;
  if (!known) return { status: 404, body: { error: `No session ${id}` } };
  const run = COMMANDS[[method, resource, id && ':id', part].filter(Boolean).join(' ')];
  if (!run) return { status: 404, body: { error: `No such command; there are: ${Object.keys(COMMANDS).join(', ')}` } };
  return { status: 200, body: (await run(world, fields, id ?? '')) ?? {} };
}

type Command = (world: World, fields: Record<string, unknown>, id: string) => unknown;

const COMMANDS: Record<string, Command> = {
  'POST sessions': ({ sessions }, fields) => sessions.open(fields as SessionSpec),
  'GET sessions :id': ({ sessions }, _, id) => sessions.view(id),
  'POST sessions :id status': ({ sessions }, { onboardingStatus }, id) => {
    sessions.setStatus(sessions.get(id), String(onboardingStatus));
    return sessions.view(id);
  },
  'POST sessions :id tokens': async ({ sessions }, { expiresInMs }, id) => ({
    interviewId: id,
    token: await sessions.issueToken(id, typeof expiresInMs === 'number' ? expiresInMs : undefined),
  }),
  'DELETE sessions :id tokens': ({ sessions }, _, id) => sessions.revokeTokens(id),
  'POST faults': ({ faults }, fields) => faults.add(fields as unknown as Fault),
  'DELETE faults': ({ faults }) => faults.clear(),
  'GET calls': ({ calls }) => ({ calls }),
  'GET deliveries': ({ deliveries }) => ({ deliveries }),
  'POST api-keys': ({ apiKeys }, { keys }) => {
    apiKeys.clear();
    for (const key of keys as string[]) apiKeys.add(key);
  },
  'POST rate-limit': (world, fields) =>
    world.setRateLimit('perSecond' in fields ? (fields as unknown as RateLimit) : undefined),
  'POST webhook': (world, fields) =>
    world.setWebhook('url' in fields ? (fields as unknown as WebhookTarget) : undefined),
};
