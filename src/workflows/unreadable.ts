import type { Payload } from '@temporalio/common';
import { decode } from '@temporalio/common/lib/encoding.js';
import { log, patched, workflowInfo } from '@temporalio/workflow';
import { ENCRYPTED, REFUSED_PLAINTEXT } from '../contract/encodings.js';
import { excerpt } from '../contract/excerpt.js';
import { InvalidInputError } from '../contract/index.js';

// Handles payloads that cannot be decoded: invalid JSON, an unknown encoding or a missing key. Anybody with access to the namespace can
// send one, and it must not stop the session. Signals are ignored. Updates and starts are refused, a start with a missing key after a
// week. For data that this workflow wrote itself, the workflow task fails and is retried until the payload can be decoded.

/** A symbol instead of a class, because the SDK loads the converter and the workflows as separate modules. */
const UNREADABLE = Symbol.for('temporal-incode/unreadable');

interface Unreadable {
  /** Continues a sentence that begins with "it". */
  why: string;
  /** Another version or configuration of the worker may be able to decode the payload. */
  mayChange: boolean;
  /** The payload becomes readable once its key is available. */
  needsKey?: boolean;
}

/** Replaces a payload that is not decoded because of its size. */
export function tooLarge(maxBytes: number): { [UNREADABLE]: Unreadable } {
  return { [UNREADABLE]: { why: `has more than ${maxBytes} bytes`, mayChange: false } };
}

const POSTPONED = Symbol.for('temporal-incode/postponed');

/** Replaces a payload that is decoded when the workflow reads it. @param read returns the value or a mark */
export function postponed(read: () => unknown): { [POSTPONED]: () => unknown } {
  return { [POSTPONED]: read };
}

function decodedNow<T>(value: T): T {
  const read = (value as { [POSTPONED]?: () => T } | null | undefined)?.[POSTPONED];
  return read ? read() : value;
}

/** Replaces a payload that cannot be decoded. */
export function unreadable({ metadata }: Payload): { [UNREADABLE]: Unreadable } {
  const text = (name: string) => (metadata?.[name] ? excerpt(decode(metadata[name])) : '');
  const encoding = text('encoding');
  return {
    [UNREADABLE]: {
      why: whyNot(encoding, text('encryption-key-id')),
      mayChange: true,
      needsKey: encoding === ENCRYPTED,
    },
  };
}

function whyNot(encoding: string, keyId: string): string {
  switch (encoding) {
    case ENCRYPTED:
      return `is encrypted with key "${keyId}", which is not among the worker's keys or does not open it`;
    case REFUSED_PLAINTEXT:
      return 'is not encrypted, and the worker requires encryption';
    case 'json/plain':
      return 'is not valid JSON';
    default:
      return `has the encoding "${encoding}", which the worker does not know`;
  }
}

function markOf(value: unknown): Unreadable | undefined {
  return (value as { [UNREADABLE]?: Unreadable } | null | undefined)?.[UNREADABLE];
}

/** Checks an argument of an update. @throws InvalidInputError, with which the update is refused */
export function readable<T>(field: string, message: T): T {
  const value = decodedNow(message);
  const mark = markOf(value);
  if (mark) throw new InvalidInputError(field, `cannot be read: it ${mark.why}`);
  return value;
}

/** Marks a refused start in its history, so that a replay also refuses it, even if the input can be decoded by then. */
const REFUSED_START = 'unreadable-start';

/** A missing key must not end a session, but nothing may wait without end: the server retries the workflow task every ten minutes. */
const KEY_DEADLINE = { ms: 7 * 86_400_000, text: '7 days' };

/**
 * Checks the input of a workflow.
 *
 * @throws InvalidInputError for an input that could not be decoded when the workflow was started, with a missing key after a week
 * @throws Error for an input that needs a missing key, or that was decoded before; the server retries the workflow task
 */
export function readableInput<T>(input: T): T {
  const value = decodedNow(input);
  const { unsafe, continuedFromExecutionRunId } = workflowInfo();
  const mark = markOf(value);
  if (!mark && !unsafe.isReplaying) return value;
  // An earlier run wrote it.
  if (continuedFromExecutionRunId !== undefined) return needed(value);
  // A key that arrives later opens it.
  if (!unsafe.isReplaying && mark?.needsKey && !isKeyOverdue()) return needed(value);
  if (!patched(REFUSED_START)) return needed(value);
  const waited = mark?.needsKey ? `. The workflow has waited ${KEY_DEADLINE.text} for the key` : '';
  throw new InvalidInputError('input', `cannot be read: it ${mark?.why ?? 'could not be read at the start'}${waited}`);
}

/**
 * Uses the start time of the workflow task, which `Date.now()` returns, instead of a timer: a run that cannot read its input must leave no
 * command in the history, because the run that can read it makes other ones. A replay does not ask again, because {@link REFUSED_START}
 * records the decision.
 */
function isKeyOverdue(): boolean {
  // The SDK has the delay of the first workflow task under this name, also without a cron schedule.
  const { startTime, cronScheduleToScheduleInterval: startDelayMs = 0 } = workflowInfo();
  return Date.now() - startTime.getTime() - startDelayMs >= KEY_DEADLINE.ms;
}

/**
 * Checks data that this workflow has read or written before, and cannot continue without.
 *
 * @throws Error, which makes the server retry the workflow task
 */
export function needed<T>(payload: T): T {
  const value = decodedNow(payload);
  const mark = markOf(value);
  if (mark) throw new Error(`The workflow waits for a payload that cannot be decoded yet: it ${mark.why}`);
  return value;
}

/**
 * Wraps the handler of a signal so that it ignores undecodable arguments. The history records which signals were ignored, because a
 * key that arrives later must not change a replay.
 */
export function ifReadable<T>(signal: string, handler: (input: T) => void): (input: T) => void {
  let received = 0;
  return (message) => {
    received += 1;
    const input = decodedNow(message);
    if (!isIgnored(`unreadable-${signal}-${received}`, signal, input)) handler(input);
  };
}

function isIgnored(patch: string, signal: string, input: unknown): boolean {
  const mark = markOf(input);
  if (!mark && !workflowInfo().unsafe.isReplaying) return false;
  if (mark?.mayChange !== false && !patched(patch)) {
    // The signal was decoded when it arrived.
    needed(input);
    return false;
  }
  if (mark) log.warn(`Ignored a signal: it ${mark.why}`, { signal });
  return true;
}
