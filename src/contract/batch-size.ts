import type { BatchSession } from './batch.js';
import type { FinishAnswer, ScoreAnswer } from './types.js';

/**
 * Temporal refuses payloads of more than 2 MB, which are 2,097,152 bytes. The largest of a shard is what its next run is handed when
 * a history has grown long: the sessions, and what is kept of each. Activities and results have a part of that. The 97 kB above this
 * limit are for the names around it and for encryption, which adds less than 200 bytes.
 */
const MAX_PAYLOAD_BYTES = 2_000_000;

/** Around what is kept of a session: its place, times, and marks that are added while it waits. */
const FRAME_BYTES = 128;

/** With 2,000 sessions that take 1 MB. What has to be kept of a session, its texts cut, has room in it. */
export const MIN_BYTES_PER_SESSION = 372;

/** How many bytes, as JSON, may be kept of each session of a shard beside what it was started with. */
export function bytesPerSession(sessions: BatchSession[]): number {
  const share = Math.floor((MAX_PAYLOAD_BYTES - jsonBytes(sessions)) / sessions.length) - FRAME_BYTES;
  return Math.max(MIN_BYTES_PER_SESSION, share);
}

/** What grows with Incode's answers. */
interface Kept {
  finish?: FinishAnswer | null;
  onboardingStatus?: string;
  score?: ScoreAnswer | null;
  failure?: { type: string; message: string };
}

/** The same, without what does not fit: first the redirection, which is for a person at a screen, then the end of texts. */
export function fitted<T extends Kept>(kept: T, maxBytes: number): T {
  if (jsonBytes(kept) <= maxBytes) return kept;
  const { finish } = kept;
  const without: T = finish?.redirectionUrl
    ? { ...kept, finish: { ...finish, redirectionUrl: null, redirectionUnsafe: 'tooLong' } }
    : kept;
  if (jsonBytes(without) <= maxBytes) return without;
  return withShortMessage(withShortTexts(without), maxBytes);
}

/** Longer than any value that means something here, so that what is cut equals none of them. */
const LONGEST_TEXT = 40;

function withShortTexts<T extends Kept>(kept: T): T {
  const { finish, score, onboardingStatus, failure } = kept;
  return {
    ...kept,
    ...(finish ? { finish: { ...finish, action: finish.action && short(finish.action) } } : {}),
    ...(onboardingStatus ? { onboardingStatus: short(onboardingStatus) } : {}),
    ...(score ? { score: { status: short(score.status), value: score.value && short(score.value) } } : {}),
    ...(failure ? { failure: { ...failure, type: short(failure.type) } } : {}),
  };
}

/** Of characters that take one byte each as JSON. */
function short(text: string): string {
  return text.slice(0, LONGEST_TEXT).replace(/[^ -~]|["\\]/g, '?');
}

function withShortMessage<T extends Kept>(kept: T, maxBytes: number): T {
  const { failure } = kept;
  if (!failure) return kept;
  let room = maxBytes - jsonBytes({ ...kept, failure: { ...failure, message: '…' } });
  let message = '';
  for (const character of failure.message) {
    room -= jsonBytes(character) - 2;
    if (room < 0) return { ...kept, failure: { ...failure, message: `${message}…` } };
    message += character;
  }
  return kept;
}

/** Bytes as JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  let bytes = 0;
  for (const character of JSON.stringify(value)) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
