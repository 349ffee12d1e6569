import { type Answer, ok, parseObject } from './answer.js';
import type { SimulatorBehavior } from './behavior.js';
import type { Fault } from './call-types.js';
import { viewOf } from './capture/record.js';
import type { ScriptedAnswer } from './capture/types.js';
import type { Clock } from './clock.js';
import type { SimulatorState } from './state.js';
import type { RateLimit, SessionSpec, SessionWebhookTarget, SimulatedOperation, WebhookTarget } from './types.js';

/** The control API, for tests in other languages. It needs no key, because the simulator listens on this machine only. */
export async function control(
  state: SimulatorState,
  method: string,
  path: string,
  query: URLSearchParams,
  body: string | undefined,
): Promise<Answer> {
  const fields = parseObject(body ?? '');
  if (!fields) return wrong(400, 'The body must be a JSON object');
  const [resource, encodedId, part] = path.slice('/_simulator/'.length).split('/');
  const id = encodedId === undefined ? undefined : decode(encodedId);
  const run = COMMANDS[[method, resource, id && ':id', part].filter(Boolean).join(' ')];
  if (!run) return wrong(404, `Unknown command; known are: ${Object.keys(COMMANDS).join(', ')}`);
  if (id !== undefined && !state.sessions.find(id)) return wrong(404, `No session ${id}`);
  try {
    return ok((await run(state, { fields, query, id: id ?? '' })) ?? {});
  } catch (error) {
    return wrong(400, (error as Error).message);
  }
}

function wrong(status: number, error: string): Answer {
  return { status, body: { error } };
}

/** Keeps text with invalid encoding, which then matches no session. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function time(clock: Clock): { now: number; advancedMs: number } {
  return { now: clock.now(), advancedMs: clock.advancedMs };
}

interface Command {
  fields: Record<string, unknown>;
  query: URLSearchParams;
  id: string;
}

const COMMANDS: Record<string, (state: SimulatorState, command: Command) => unknown> = {
  'POST sessions': ({ sessions }, { fields }) => sessions.open(fields as SessionSpec),
  'GET sessions': ({ sessions }, { query }) => ({
    sessions: sessions
      .of(query.get('externalCustomerId') ?? undefined)
      .map(({ interviewId }) => sessions.view(interviewId)),
  }),
  'GET sessions :id': ({ sessions }, { id }) => sessions.view(id),
  'GET sessions :id captures': ({ sessions }, { id }) => viewOf(sessions.get(id).capture),
  'POST sessions :id status': ({ sessions }, { id, fields: { onboardingStatus } }) => {
    if (typeof onboardingStatus !== 'string' || !onboardingStatus) throw new TypeError('onboardingStatus is missing');
    sessions.setStatus(sessions.get(id), onboardingStatus);
    return sessions.view(id);
  },
  'POST sessions :id score': ({ sessions }, { id }) => {
    sessions.setScoreReady(sessions.get(id));
    return sessions.view(id);
  },
  'POST sessions :id tokens': async ({ sessions }, { id, fields: { expiresInMs } }) => ({
    interviewId: id,
    token: await sessions.issueToken(id, expiresInMs as number | undefined),
  }),
  'DELETE sessions :id tokens': ({ sessions }, { id }) => sessions.revokeTokens(id),
  'POST faults': (state, { fields }) => state.addFault(fields as unknown as Fault),
  'DELETE faults': ({ faults }) => faults.clear(),
  'POST answers': (state, { fields }) => state.script(fields as unknown as ScriptedAnswer),
  'DELETE answers': ({ scripts }) => scripts.clear(),
  'GET calls': ({ log }, { query }) => ({
    counts: log.counts,
    calls: log.of(
      query.get('interviewId') ?? undefined,
      (query.get('operation') as SimulatedOperation | null) ?? undefined,
    ),
  }),
  'GET deliveries': ({ deliveries }) => ({ deliveries }),
  'POST api-keys': (state, { fields: { keys } }) => state.setApiKeys(keys as string[]),
  'GET behavior': ({ behavior }) => behavior,
  'POST behavior': (state, { fields }) => {
    state.setBehavior(fields as Partial<SimulatorBehavior>);
    return state.behavior;
  },
  'POST rate-limit': (state, { fields }) => state.setRateLimit(fields as unknown as RateLimit),
  'DELETE rate-limit': (state) => state.setRateLimit(null),
  'POST webhook': (state, { fields }) => state.setWebhook(fields as unknown as WebhookTarget),
  'DELETE webhook': (state) => state.setWebhook(null),
  'POST session-webhook': (state, { fields }) => state.setSessionWebhook(fields as unknown as SessionWebhookTarget),
  'DELETE session-webhook': (state) => state.setSessionWebhook(null),
  'GET clock': ({ clock }) => time(clock),
  'POST clock': async ({ clock }, { fields: { advanceMs } }) => {
    await clock.advance(advanceMs as number);
    return time(clock);
  },
};
