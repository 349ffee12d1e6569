const turns = new Map<string, Promise<unknown>>();

/**
 * Works on one session one after the other, within this process.
 *
 * @param work is told what the work just before came to, if it had to wait for that; it must not reject
 */
export async function oneAtATime<T>(interviewId: string, work: (before: T | undefined) => Promise<T>): Promise<T> {
  const before = turns.get(interviewId) as Promise<T> | undefined;
  const turn = before ? before.then(work) : work(undefined);
  turns.set(interviewId, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(interviewId) === turn) turns.delete(interviewId);
  }
}
