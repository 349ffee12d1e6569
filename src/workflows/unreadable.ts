import type { Payload } from '@temporalio/common';
import { decode } from '@temporalio/common/lib/encoding.js';
import { log, patched, workflowInfo } from '@temporalio/workflow';
import { ENCRYPTED, REFUSED_PLAINTEXT } from '../contract/encodings.js';
import { excerpt } from '../contract/excerpt.js';
import { InvalidInputError } from '../contract/index.js';

// A payload that cannot be read: no JSON, an encoding that is not known, or a key that is not there. Anybody who reaches the
// namespace can send one, and it must not stop the session. Signals are passed over, updates and starts are refused. What this
// workflow has written itself is never passed over: its task fails, and is retried until the payload can be read.

/** Not a class: the SDK loads the converter and the workflows each by itself. */
const UNREADABLE = Symbol.for('temporal-incode/unreadable');

interface Unreadable {
  /** After "it". */
  why: string;
  /** Another version of the worker, or another configuration, may be able to read it. */
  mayChange: boolean;
  /** It will be readable when the key is rolled out. */
  needsKey?: boolean;
}

/** What stands for a payload that is not read, because of its size. */
export function tooLong(mostBytes: number): { [UNREADABLE]: Unreadable } {
  return { [UNREADABLE]: { why: `has more than ${mostBytes} bytes`, mayChange: false } };
}

/** What stands for a payload that cannot be read. */
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
      return 'is no JSON';
    default:
      return `has the encoding "${encoding}", which the worker does not read`;
  }
}

function markOf(value: unknown): Unreadable | undefined {
  return (value as { [UNREADABLE]?: Unreadable } | null | undefined)?.[UNREADABLE];
}

/** @throws InvalidInputError for an argument of an update, which is refused with it */
export function readable<T>(field: string, value: T): T {
  const mark = markOf(value);
  if (mark) throw new InvalidInputError(field, `cannot be read: it ${mark.why}`);
  return value;
}

/** Recorded in the history of a start that was refused, so that a replay refuses it too, whatever can be read by then. */
const REFUSED_START = 'unreadable-start';

/**
 * @throws InvalidInputError for an input that could not be read when the workflow was started
 * @throws Error, which makes the server retry the workflow task, for one that waits for its key, and for one that was read before
 */
export function startedWith<T>(value: T): T {
  const { unsafe, continuedFromExecutionRunId } = workflowInfo();
  const mark = markOf(value);
  if (!mark && !unsafe.isReplaying) return value;
  // A run before has written it, or a key that is rolled out opens it.
  if (continuedFromExecutionRunId !== undefined || mark?.needsKey) return written(value);
  if (!patched(REFUSED_START)) return written(value);
  throw new InvalidInputError('input', `cannot be read: it ${mark?.why ?? 'could not be read at the start'}`);
}

/** @throws Error, which makes the server retry the workflow task, for what a run of this workflow has read or written before */
export function written<T>(value: T): T {
  const mark = markOf(value);
  if (mark) throw new Error(`What this workflow needs to go on cannot be read yet: it ${mark.why}`);
  return value;
}

/**
 * A handler of a signal that passes over what cannot be read. The history records which signals were passed over: a key that is
 * rolled out later must not change what a replay does.
 */
export function ifReadable<T>(signal: string, handler: (given: T) => void): (given: T) => void {
  let received = 0;
  return (given) => {
    received += 1;
    if (!isPassedOver(`unreadable-${signal}-${received}`, signal, given)) handler(given);
  };
}

function isPassedOver(patch: string, signal: string, given: unknown): boolean {
  const mark = markOf(given);
  if (!mark && !workflowInfo().unsafe.isReplaying) return false;
  if (mark?.mayChange !== false && !patched(patch)) {
    // It was read when it came.
    written(given);
    return false;
  }
  if (mark) log.warn(`A signal was passed over: it ${mark.why}`, { signal });
  return true;
}
