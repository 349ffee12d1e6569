import { onboardingWorkflowId, STAGES, type Stage, type TemporalIncodeError } from '../contract/index.js';
import {
  AnswerPendingError,
  SessionEndedError,
  SessionFailedError,
  SessionNotFoundError,
  TooManyWaitingError,
  type WaitFacts,
  WrongStageError,
} from './errors.js';

/** What a request is about, and the errors that name it. */
export interface Subject {
  /** As in messages, such as `Session 5f3a`. */
  name: string;
  workflowId: string;
  stages: readonly string[];
  notFound(): TemporalIncodeError;
  ended(): TemporalIncodeError;
  failed(type: string, message: string, details: unknown): TemporalIncodeError;
  wrongStage(message: string): TemporalIncodeError;
  tooManyWaiting(message: string): TemporalIncodeError;
  pending(facts: WaitFacts): TemporalIncodeError;
}

export function sessionSubject(interviewId: string): Subject {
  return {
    name: `Session ${interviewId}`,
    workflowId: onboardingWorkflowId(interviewId),
    stages: STAGES,
    notFound: () => new SessionNotFoundError(interviewId),
    ended: () => new SessionEndedError(interviewId),
    failed: (type, message, details) => new SessionFailedError(interviewId, type, message, details),
    wrongStage: (message) => new WrongStageError(interviewId, message),
    tooManyWaiting: (message) => new TooManyWaitingError(interviewId, message),
    pending: (facts) => new AnswerPendingError({ ...facts, interviewId, stage: facts.stage as Stage | null }),
  };
}
