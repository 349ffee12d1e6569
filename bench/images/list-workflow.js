/** Answers at once, so that only the client's work is left. */
export async function captureBatch({ batchId, shard, people }) {
  const rows = people.map(({ reference, front, back, selfie }) => ({
    outcome: 'approved',
    reason: "overall score OK, from Incode's answer",
    interviewId: `session-of-${reference}`,
    score: { status: 'OK', value: 98 },
    images: { front: 'accepted', back: 'accepted', selfie: 'accepted' },
    face: { confidence: 1, existingUser: false, nameMatched: true, code: null },
    digests: { front: [front.sha256], back: [back.sha256], selfie: [selfie.sha256] },
  }));
  return { batchId, shard, rows };
}
