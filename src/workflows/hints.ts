import { ActivityFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { bearsOut, isProcessedOnly, laterStatus } from '../contract/index.js';
import { incode } from './incode.js';
import { addEvent, applyStatus, type SessionRecord } from './record.js';
import type { Session } from './session.js';

/** Whether a status, if it is true, would end or decide what the session is at. */
export type Decides = (onboardingStatus: string) => boolean;

/**
 * Does something, and meanwhile asks Incode about every hint of a webhook that would decide it. Incode's answer counts; a hint
 * counts only if no token is there to ask with.
 */
export async function whileHintsAreChecked<T>(session: Session, decides: Decides, work: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope();
  const checking = scope.run(() => checkHints(session, decides)).catch((error: unknown) => error);
  try {
    return await work();
  } finally {
    scope.cancel();
    // A workflow that ends, or goes on in a new run, leaves no open activity behind.
    await checking;
  }
}

export async function untilHintsAreChecked(session: Session, decides: Decides): Promise<void> {
  const { record } = session;
  if (!hasHint(record, decides)) return;
  await whileHintsAreChecked(session, decides, () => condition(() => !hasHint(record, decides)));
}

export function hasHint({ hints }: SessionRecord, decides: Decides): boolean {
  return hints.some(decides);
}

async function checkHints(session: Session, decides: Decides): Promise<never> {
  const { record } = session;
  const open = () => record.hints.filter(decides);
  /** What nobody could be asked about with this token; another token, or another hint, is waited for. */
  let unanswered: { hints: string; token: string | null } | undefined;
  const isUnanswered = () => unanswered?.hints === open().join() && unanswered.token === record.token;
  for (;;) {
    await condition(() => open().length > 0 && !isUnanswered());
    const hints = open();
    const { token } = record;
    const answer = await ask(session, hints, () => open().join() !== hints.join());
    if (answer === 'outdated') continue;
    settle(record, hints, answer);
    unanswered = answer === 'noToken' ? { hints: open().join(), token } : undefined;
    session.publish();
  }
}

type Answer = { onboardingStatus: string } | 'noToken' | 'refused';

/** @returns `outdated` if there are other hints to ask about meanwhile */
async function ask(session: Session, hints: string[], isOutdated: () => boolean): Promise<Answer | 'outdated'> {
  const { input, record } = session;
  const scope = new CancellationScope();
  let answer: Answer | 'outdated' | undefined;
  const asking = scope
    .run(() =>
      incode.confirmStatus({
        interviewId: input.interviewId,
        ...(record.token === null ? {} : { sessionToken: record.token }),
        hints,
      }),
    )
    .then(({ onboardingStatus }) => {
      answer = onboardingStatus === null ? 'noToken' : { onboardingStatus };
    })
    .catch((error: unknown) => {
      if (!isCancellation(error) && !(error instanceof ActivityFailure)) throw error;
      answer = isCancellation(error) ? 'outdated' : 'refused';
    });
  try {
    await condition(() => answer !== undefined || isOutdated());
  } finally {
    scope.cancel();
    await asking;
  }
  return answer ?? 'outdated';
}

function settle(record: SessionRecord, hints: string[], answer: Answer): void {
  if (answer === 'noToken') {
    takeAtTheirWord(record, hints);
    return;
  }
  if (answer === 'refused') {
    drop(record, hints);
    addEvent(record, `Incode does not tell whether a webhook is true: ${hints.join(', ')}`);
    return;
  }
  const { onboardingStatus } = answer;
  if (hints.some((hint) => bearsOut(onboardingStatus, hint))) {
    // What came before it, or in its place, is answered as well. What would come after it is still open.
    drop(
      record,
      hints.filter((hint) => laterStatus(hint, onboardingStatus) === onboardingStatus),
    );
  } else {
    drop(record, hints);
    record.contradictions += 1;
    addEvent(record, `Incode contradicts a webhook that said ${hints.join(', ')}`);
  }
  applyStatus(record, onboardingStatus, 'answer');
}

/** Finishing needs a token anyway, and that one can ask whether the session is processed. */
function takeAtTheirWord(record: SessionRecord, hints: string[]): void {
  const taken = hints.filter((hint) => !isProcessedOnly(hint));
  drop(record, taken);
  for (const hint of taken) applyStatus(record, hint, 'webhook');
}

function drop(record: SessionRecord, hints: string[]): void {
  record.hints = record.hints.filter((hint) => !hints.includes(hint));
}
