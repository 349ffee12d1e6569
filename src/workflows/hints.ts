import { ActivityFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { bearsOut, isProcessedOnly, laterStatus } from '../contract/milestones.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { incode } from './incode.js';
import { addEvent, applyStatus, type SessionRecord } from './record.js';
import type { Session } from './session.js';

/** Whether a status, if it is true, would end or decide the current step of the session. */
export type Decides = (onboardingStatus: string) => boolean;

/**
 * Does the work, and meanwhile asks Incode about every hint that would decide it. A hint is a status from a webhook. Incode's answer
 * counts. The hint itself counts only if there is no token to ask Incode with.
 */
export async function whileHintsAreChecked<T>(session: Session, decides: Decides, work: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope();
  const checking = scope.run(() => checkHints(session, decides)).catch((error: unknown) => error);
  try {
    return await work();
  } finally {
    scope.cancel();
    // A workflow must have no open activity when it ends or continues as new.
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
  /** Hints that nobody could be asked about with this token. They wait for another token or another hint. */
  let unanswered: { hints: string; token: string | null } | undefined;
  const isUnanswered = () => unanswered?.hints === open().join() && unanswered.token === record.token;
  for (;;) {
    await condition(() => open().length > 0 && !isUnanswered());
    const hints = open();
    const { token } = record;
    const answer = await ask(session, hints, () => open().join() !== hints.join());
    if (answer === 'outdated') continue;
    applyAnswer(record, hints, answer);
    // A hint that came meanwhile was not asked about.
    const left = hints.filter((hint) => open().includes(hint));
    unanswered = answer === 'noToken' ? { hints: left.join(), token } : undefined;
    session.publish();
  }
}

type Answer = { onboardingStatus: string } | 'noToken' | 'refused';

/** @returns `outdated` if the hints changed meanwhile */
async function ask(session: Session, hints: string[], isOutdated: () => boolean): Promise<Answer | 'outdated'> {
  const { input, record } = session;
  const scope = new CancellationScope();
  let answer: Answer | 'outdated' | undefined;
  const asking = scope
    .run(() =>
      incode.confirmStatus({
        interviewId: input.interviewId,
        ...omitUndefined({ sessionToken: record.token ?? undefined }),
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

function applyAnswer(record: SessionRecord, hints: string[], answer: Answer): void {
  if (answer === 'noToken') {
    applyUnconfirmed(record, hints);
    return;
  }
  if (answer === 'refused') {
    drop(record, hints);
    addEvent(record, `Incode refused to confirm a webhook that said ${hints.join(', ')}`);
    return;
  }
  const { onboardingStatus } = answer;
  if (hints.some((hint) => bearsOut(onboardingStatus, hint))) {
    // The answer also settles earlier milestones. Later ones stay open.
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

/**
 * Applies hints that nobody can be asked about. A hint that the session is processed waits for a token, which finishing needs anyway and
 * which can then confirm it.
 */
function applyUnconfirmed(record: SessionRecord, hints: string[]): void {
  const applied = hints.filter((hint) => !isProcessedOnly(hint));
  drop(record, applied);
  for (const hint of applied) applyStatus(record, hint, 'webhook');
}

function drop(record: SessionRecord, hints: string[]): void {
  record.hints = record.hints.filter((hint) => !hints.includes(hint));
}
