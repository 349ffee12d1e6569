import { CAPTURE_STAGES, type CaptureStage, captureWorkflowId } from '../../contract/index.js';
import type { Subject } from '../subject.js';
import {
  PersonEndedError,
  PersonFailedError,
  PersonNotFoundError,
  PersonPendingError,
  PersonTooManyWaitingError,
  PersonWrongStageError,
} from './errors.js';

export function personSubject(reference: string): Subject {
  return {
    name: `Person ${reference}`,
    workflowId: captureWorkflowId(reference),
    stages: CAPTURE_STAGES,
    notFound: () => new PersonNotFoundError(reference),
    ended: () => new PersonEndedError(reference),
    failed: (type, message, details) => new PersonFailedError(reference, type, message, details),
    wrongStage: (message) => new PersonWrongStageError(reference, message),
    tooManyWaiting: (message) => new PersonTooManyWaitingError(reference, message),
    pending: (facts) => new PersonPendingError({ ...facts, reference, stage: facts.stage as CaptureStage | null }),
  };
}
