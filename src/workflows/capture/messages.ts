import { defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { parseSessionStarted } from '../../contract/capture-guards.js';
import {
  CAPTURE_QUERIES,
  CAPTURE_SIGNALS,
  CAPTURE_UPDATES,
  type CaptureState,
  checkReplaceImageInput,
  type ReplaceImageInput,
  type SessionStartedInput,
} from '../../contract/index.js';
import { guarded } from '../failures.js';
import { addEvent } from '../record.js';
import { ifReadable, needed, readable } from '../unreadable.js';
import { noLongerNeeded } from './failures.js';
import { replaceImage as replace } from './images.js';
import { recordStartedSession } from './opening.js';
import type { Person } from './person.js';

const replaceImage = defineUpdate<void, [ReplaceImageInput]>(CAPTURE_UPDATES.replaceImage);
const sessionStarted = defineSignal<[SessionStartedInput]>(CAPTURE_SIGNALS.sessionStarted);
const state = defineQuery<CaptureState>(CAPTURE_QUERIES.state);

/** Validators must be synchronous, because the SDK does not await them. */
export function handleMessages(person: Person): void {
  setHandler(
    replaceImage,
    (input) => {
      const { side, image } = checkReplaceImageInput(needed(input));
      return replace(person, side, image);
    },
    { validator: (input) => checkReplacement(person, input) },
  );
  setHandler(
    sessionStarted,
    ifReadable(CAPTURE_SIGNALS.sessionStarted, (input) => acceptStarted(person, input)),
  );
  setHandler(state, () => person.state());
}

/** Refuses an update that arrives together with an invalid input with the input's error, not with "workflow completed". */
export function refuseMessages(reason: unknown): void {
  const validator = (_: ReplaceImageInput) => {
    throw reason;
  };
  setHandler(replaceImage, (_: ReplaceImageInput) => undefined, { validator });
}

function checkReplacement(person: Person, message: ReplaceImageInput): void {
  const { side } = guarded(() => checkReplaceImageInput(readable('replaceImage', message)));
  if (!person.record.needs.includes(side)) throw noLongerNeeded(person, side);
}

function acceptStarted({ record }: Person, input: unknown): void {
  const started = parseSessionStarted(input);
  if (started && recordStartedSession(record.attempts, started)) {
    addEvent(record, `Webhook: session ${started.interviewId} was started`);
  }
}
