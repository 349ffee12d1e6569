const turns = new Map<string, Promise<unknown>>();

/**
 * Runs the work of one session in sequence within this process.
 *
 * @param work must not reject
 */
export async function oneAtATime<T>(interviewId: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(interviewId);
  const turn = before ? before.then(work) : work();
  turns.set(interviewId, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(interviewId) === turn) turns.delete(interviewId);
  }
}
