import { condition, defineQuery, defineSignal, defineUpdate, patched, setHandler } from '@temporalio/workflow';
import {
  checkExtendDeadlineInput,
  checkRenewTokenInput,
  type ExtendDeadlineInput,
  type ExtendedDeadline,
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

const finish = defineUpdate<FinishAnswer | null>(UPDATES.finish);
const renewToken = defineUpdate<void, [RenewTokenInput]>(UPDATES.renewToken);
const extendDeadline = defineUpdate<ExtendedDeadline, [ExtendDeadlineInput]>(UPDATES.extendDeadline);
const statusChanged = defineSignal<[StatusChangedInput]>(SIGNALS.statusChanged);
const state = defineQuery<OnboardingState>(QUERIES.state);

/** Workflows that were told by a webhook before this version go on as they did. */
const HINTS = 'webhooks-are-hints';

/** Everything that may be said to a session. Validators are called without being awaited: they must be synchronous. */
export function handleMessages(session: Session): void {
  setHandler(finish, () => finishAnswer(session));
  setHandler(renewToken, (given) => takeToken(session, given), { validator: (given) => checkToken(session, given) });
  setHandler(extendDeadline, (given) => moveDeadline(session, given), {
    validator: (given) => void movedDeadline(session, given),
  });
  setHandler(statusChanged, (given) => takeStatus(session, given));
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

async function finishAnswer(session: Session): Promise<FinishAnswer | null> {
  const { record } = session;
  if (!record.asked && record.answer === null) addEvent(record, 'Asked to finish');
  record.asked = true;
  await condition(() => record.answer !== null || session.failure !== undefined);
  if (record.answer) return record.answer.finish;
  throw session.failure;
}

function checkToken(session: Session, given: RenewTokenInput): void {
  guarded(() => {
    const { sessionToken } = checkRenewTokenInput(given);
    if (sessionToken === session.record.refusedToken) {
      throw new InvalidInputError('sessionToken', 'is the one that Incode refused; get a fresh one');
    }
  });
  if (session.stage === 'done') throw wrongStage(session, 'no call needs a token any more');
}

function takeToken(session: Session, { sessionToken }: RenewTokenInput): void {
  const { record } = session;
  record.token = sessionToken;
  record.unprovenSince = null;
  addEvent(record, 'A session token was handed in');
  session.askingTokenSource?.cancel();
}

/** @returns the deadline that the update asks for */
function movedDeadline(session: Session, given: ExtendDeadlineInput): number {
  const { deadline } = session.record;
  const by = guarded(() => checkExtendDeadlineInput(given));
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
