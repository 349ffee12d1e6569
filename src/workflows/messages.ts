import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  log,
  patched,
  setHandler,
} from '@temporalio/workflow';
import {
  checkExtendDeadlineInput,
  checkRenewTokenInput,
  type ExtendDeadlineInput,
  type ExtendedDeadline,
  FAILURES,
  type FinishAnswer,
  heardStatus,
  InvalidInputError,
  MAX_DURATION_MS,
  type OnboardingState,
  QUERIES,
  type RenewTokenInput,
  SIGNALS,
  type StatusChangedInput,
  UPDATES,
} from '../contract/index.js';
import { guarded, wrongStage } from './failures.js';
import { addEvent, applyStatus, applyWebhookStatus, keepHint, saysMore } from './record.js';
import type { Session } from './session.js';
import { ifReadable, readable, written } from './unreadable.js';

const finish = defineUpdate<FinishAnswer | null>(UPDATES.finish);
const renewToken = defineUpdate<void, [RenewTokenInput]>(UPDATES.renewToken);
const extendDeadline = defineUpdate<ExtendedDeadline, [ExtendDeadlineInput]>(UPDATES.extendDeadline);
const renewTokenSignal = defineSignal<[RenewTokenInput]>(SIGNALS.renewToken);
const statusChanged = defineSignal<[StatusChangedInput]>(SIGNALS.statusChanged);
const state = defineQuery<OnboardingState>(QUERIES.state);

/** Workflows that were told by a webhook before this version go on as they did. */
const HINTS = 'webhooks-are-hints';

/** Everything that may be said to a session. Validators are called without being awaited: they must be synchronous. */
export function handleMessages(session: Session): void {
  setHandler(finish, () => finishAnswer(session), { validator: () => checkFinish(session) });
  setHandler(renewToken, (given) => takeToken(session, written(given)), {
    validator: (given) => checkToken(session, given),
  });
  setHandler(extendDeadline, (given) => moveDeadline(session, written(given)), {
    validator: (given) => void movedDeadline(session, given),
  });
  setHandler(
    renewTokenSignal,
    ifReadable(SIGNALS.renewToken, (given) => takeSignalledToken(session, given)),
  );
  setHandler(
    statusChanged,
    ifReadable(SIGNALS.statusChanged, (given) => takeStatus(session, given)),
  );
  setHandler(state, () => session.state());
}

/** An update that comes together with a bad input is refused with its reason, rather than with "workflow completed". */
export function refuseMessages(reason: unknown): void {
  const refuse = (): void => {
    throw reason;
  };
  setHandler(finish, () => null, { validator: refuse });
  setHandler(renewToken, (_: RenewTokenInput) => undefined, { validator: (_: RenewTokenInput) => refuse() });
  setHandler(extendDeadline, (_: ExtendDeadlineInput) => ({ deadline: '' }), {
    validator: (_: ExtendDeadlineInput) => refuse(),
  });
}

/**
 * Temporal allows ten unfinished updates of a workflow. Callers who ask again under ids of their own would leave no room for the
 * token without which none of them gets an answer.
 */
const MOST_WAITING_FINISHES = 6;

function checkFinish({ record, waitingFinishes, input }: Session): void {
  if (record.answer !== null || waitingFinishes < MOST_WAITING_FINISHES) return;
  throw ApplicationFailure.create({
    type: FAILURES.tooManyWaiting,
    message:
      `Session ${input.interviewId}: ${waitingFinishes} updates ${UPDATES.finish} wait for Incode's answer already. ` +
      `Send it under the update id "${UPDATES.finish}" to share one, or wait for the workflow's result.`,
    nonRetryable: true,
    details: [{ interviewId: input.interviewId }],
  });
}

async function finishAnswer(session: Session): Promise<FinishAnswer | null> {
  const { record } = session;
  if (!record.asked && record.answer === null) addEvent(record, 'Asked to finish');
  record.asked = true;
  session.waitingFinishes += 1;
  await condition(() => record.answer !== null || session.failure !== undefined);
  session.waitingFinishes -= 1;
  if (record.answer) return record.answer.finish;
  throw session.failure;
}

function checkToken(session: Session, given: RenewTokenInput): void {
  guarded(() => {
    const { sessionToken } = checkRenewTokenInput(readable('renewToken', given));
    if (sessionToken === session.record.refusedToken) {
      throw new InvalidInputError('sessionToken', 'is the one that Incode refused; get a fresh one');
    }
  });
  if (session.stage === 'done') throw wrongStage(session, 'no call needs a token any more');
}

function takeToken(session: Session, { sessionToken }: RenewTokenInput): void {
  const { record } = session;
  record.token = sessionToken;
  record.isTokenIssued = false;
  record.unprovenSince = null;
  addEvent(record, 'A session token was handed in');
  session.askingTokenSource?.cancel();
}

/** Nobody hears why it is refused, so the log says it. */
function takeSignalledToken(session: Session, given: RenewTokenInput): void {
  try {
    checkToken(session, given);
  } catch (error) {
    log.warn(`The signal ${SIGNALS.renewToken} was passed over: ${(error as Error).message}`);
    return;
  }
  takeToken(session, given);
}

/** @returns the deadline that the update asks for */
function movedDeadline(session: Session, given: ExtendDeadlineInput): number {
  const { deadline } = session.record;
  const by = guarded(() => checkExtendDeadlineInput(readable('extendDeadline', given)));
  if (deadline === null) throw wrongStage(session, 'it has no deadline; waiting, scoring and inReview have one');
  return guarded(() => {
    if (deadline + by <= Date.now() + MAX_DURATION_MS) return deadline + by;
    throw new InvalidInputError('extendDeadline.by', 'must not move the deadline further than ten years from now');
  });
}

function moveDeadline(session: Session, given: ExtendDeadlineInput): ExtendedDeadline {
  const { record } = session;
  record.deadline = movedDeadline(session, given);
  const deadline = new Date(record.deadline).toISOString();
  addEvent(record, `Deadline moved to ${deadline}`);
  session.boundByDeadline?.cancel();
  session.publish();
  return { deadline };
}

/** Nobody waits for a signal's answer: what cannot be understood must not do harm, and is passed over. */
function takeStatus(session: Session, given: unknown): void {
  const onboardingStatus = heardStatus(given, session.input.interviewId);
  if (onboardingStatus === undefined) return;
  const { record } = session;
  const isFirst = applyWebhookStatus(record, onboardingStatus);
  if (!saysMore(record, onboardingStatus)) return;
  if (patched(HINTS)) {
    keepHint(record, onboardingStatus);
  } else if (isFirst && isSpelledAsDocumented(given)) {
    applyStatus(record, onboardingStatus, 'webhook');
    session.publish();
  }
}

/** Workflows of earlier versions did not understand another spelling. What they did has to be repeated in replay. */
function isSpelledAsDocumented(given: unknown): boolean {
  return /^[A-Z0-9_]+$/.test(String((given as StatusChangedInput).onboardingStatus));
}
