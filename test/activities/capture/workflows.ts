import { type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { CaptureActivities, OpenedSession, OpenSessionInput } from 'temporal-incode/activities';

const OPTIONS = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 1 },
} as const satisfies ActivityOptions;

/** Opens a session only. */
export function opening(input: OpenSessionInput, startToCloseTimeout: number): Promise<OpenedSession> {
  return proxyActivities<CaptureActivities>({ ...OPTIONS, startToCloseTimeout }).openSession(input);
}

/** Calls every activity for a person whose images are `NAME.jpg`. */
export async function capturing(reference: string): Promise<unknown[]> {
  const activities = proxyActivities<CaptureActivities>(OPTIONS);
  const images = {
    front: { uri: 'file:front.jpg' },
    back: { uri: 'file:back.jpg' },
    selfie: { uri: 'file:selfie.jpg' },
  };
  const { front, back, selfie } = await activities.pinImages({ reference, images });
  if (!front || !back || !selfie) throw new Error('not pinned');
  const { interviewId, sessionToken } = await activities.openSession({ reference });
  const session = { interviewId, sessionToken };
  return [
    await activities.uploadFront({ ...session, image: front }),
    await activities.uploadBack({ ...session, image: back }),
    await activities.processId(session),
    await activities.awaitProcessed({ ...session, processedWithinMs: 60_000 }),
    await activities.uploadSelfie({ ...session, image: selfie }),
    await activities.processFace(session),
    await activities.governmentValidation(session),
    await activities.watchlist(session),
  ];
}
