import type { BatchSession } from './batch.js';
import type { FinishAnswer, ScoreAnswer } from './types.js';

/**
 * Temporal refuses payloads above 2 MB (2,097,152 bytes). A shard's largest payload is the input of its next run: the sessions and
 * the data kept for each. The remaining 97 kB are for the field names around them and for encryption, which adds less than 200 bytes.
 */
const MAX_PAYLOAD_BYTES = 2_000_000;

/** For the fields around a session's kept data: its index, its times, and the marks added while it waits. */
const FRAME_BYTES = 128;

/** The share of each session in the largest shard: 2,000 sessions of 1 MB. Kept data with shortened texts fits into it. */
export const MIN_BYTES_PER_SESSION = 372;

/** @returns how many bytes of JSON a shard may keep for each session, in addition to its input */
export function bytesPerSession(sessions: BatchSession[]): number {
  const share = Math.floor((MAX_PAYLOAD_BYTES - jsonBytes(sessions)) / sessions.length) - FRAME_BYTES;
  return Math.max(MIN_BYTES_PER_SESSION, share);
}

/** The parts of kept data that grow with Incode's answers. */
interface KeptData {
  finish?: FinishAnswer | null;
  onboardingStatus?: string;
  score?: ScoreAnswer | null;
  failure?: { type: string; message: string };
}

/**
 * Reduces kept data to the limit. It drops the redirection URL first, because only a person at a screen needs it, and then shortens
 * texts.
 */
export function fitted<T extends KeptData>(data: T, maxBytes: number): T {
  if (jsonBytes(data) <= maxBytes) return data;
  const { finish } = data;
  const without: T = finish?.redirectionUrl
    ? { ...data, finish: { ...finish, redirectionUrl: null, redirectionUnsafe: 'tooLong' } }
    : data;
  if (jsonBytes(without) <= maxBytes) return without;
  return withShortMessage(withShortTexts(without), maxBytes);
}

/** Longer than every value that this package knows, so a shortened text never equals one of them. */
const MAX_TEXT_LENGTH = 40;

function withShortTexts<T extends KeptData>(data: T): T {
  const { finish, score, onboardingStatus, failure } = data;
  return {
    ...data,
    ...(finish ? { finish: { ...finish, action: finish.action && short(finish.action) } } : {}),
    ...(onboardingStatus ? { onboardingStatus: short(onboardingStatus) } : {}),
    ...(score ? { score: { status: short(score.status), value: score.value && short(score.value) } } : {}),
    ...(failure ? { failure: { ...failure, type: short(failure.type) } } : {}),
  };
}

function short(text: string): string {
  return asciiText(text, MAX_TEXT_LENGTH);
}

/** @returns a text of characters that take one byte each in JSON */
export function asciiText(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/[^ -~]|["\\]/g, '?');
}

function withShortMessage<T extends KeptData>(data: T, maxBytes: number): T {
  const { failure } = data;
  if (!failure) return data;
  let room = maxBytes - jsonBytes({ ...data, failure: { ...failure, message: '…' } });
  let message = '';
  for (const character of failure.message) {
    room -= jsonBytes(character) - 2;
    if (room < 0) return { ...data, failure: { ...failure, message: `${message}…` } };
    message += character;
  }
  return data;
}

/** @returns the size as JSON in UTF-8 */
export function jsonBytes(value: unknown): number {
  let bytes = 0;
  for (const character of JSON.stringify(value)) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
