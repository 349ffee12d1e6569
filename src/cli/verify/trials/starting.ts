import { MADE_UP_ID, type OwnSession } from '../own-sessions.js';
import { attempt, readStatus, type Trial } from './trial.js';

/** Sends starts with an interview id. A session that they open belongs to this run. */
export async function tryStarts(trial: Trial, session: OwnSession): Promise<void> {
  const { seen, sessions, signal } = trial;
  const earlier = session.token;
  await attempt(trial, ['reissue'], async () => {
    const { reply, session: named, token } = await sessions.start(signal, session.interviewId);
    const isSameSession = named === session;
    const newToken = isSameSession && token ? await readStatus(trial, session, { token }) : undefined;
    // If Incode returns the same token, there is no earlier token to test.
    const isFresh = isSameSession && token !== earlier;
    const earlierToken = isFresh ? await readStatus(trial, session, { token: earlier }) : undefined;
    seen.reissue = { reply, isSameSession, newToken, earlierToken };
  });
  await attempt(trial, ['unknownStart'], async () => {
    seen.unknownStart = (await sessions.start(signal, MADE_UP_ID)).reply;
  });
}
