import type { Outcome, Stage } from '../contract/types.js';

// What people read about stages and outcomes. A status has a sign and a word, never only a color.

export interface Word {
  sign: string;
  label: string;
  meaning: string;
  tone: 'good' | 'bad' | 'warn' | 'busy' | 'calm';
}

export const STAGE_WORDS: Record<Stage | 'started', Word> = {
  waiting: {
    sign: '◔',
    label: 'Waiting',
    meaning: 'The person has not completed the steps at Incode yet, or your application has not asked to finish.',
    tone: 'calm',
  },
  finishing: { sign: '▸', label: 'Finishing', meaning: 'The worker finishes the session at Incode.', tone: 'busy' },
  needsToken: {
    sign: '!',
    label: 'Needs a token',
    meaning: 'Incode refused the session token. The session continues as soon as somebody hands in a fresh one.',
    tone: 'warn',
  },
  closing: { sign: '▸', label: 'Closing', meaning: 'The worker closes the session at Incode.', tone: 'busy' },
  scoring: { sign: '▸', label: 'Scoring', meaning: 'The worker reads the score.', tone: 'busy' },
  inReview: {
    sign: '◉',
    label: 'In review',
    meaning: "A person has to approve or reject the session on Incode's dashboard.",
    tone: 'warn',
  },
  started: { sign: '▸', label: 'Started', meaning: '', tone: 'calm' },
  done: { sign: '■', label: 'Done', meaning: 'The onboarding has an outcome.', tone: 'calm' },
};

export const OUTCOME_WORDS: Record<Outcome, Word> = {
  approved: { sign: '✓', label: 'Approved', meaning: 'Continue the onboarding.', tone: 'good' },
  rejected: { sign: '✕', label: 'Rejected', meaning: 'Stop, and offer your appeal process.', tone: 'bad' },
  needsReview: {
    sign: '◉',
    label: 'Needs review',
    meaning: 'A person has to look at the session at Incode.',
    tone: 'warn',
  },
  undecided: {
    sign: '?',
    label: 'Undecided',
    meaning: "Nothing decided. Look at the session on Incode's dashboard.",
    tone: 'warn',
  },
  expired: {
    sign: '◷',
    label: 'Expired',
    meaning: 'The person has to start again with a new session.',
    tone: 'calm',
  },
};

export const FAILED: Word = {
  sign: '✕',
  label: 'Failed',
  meaning: 'The onboarding ended without an outcome.',
  tone: 'bad',
};

/** Status of the workflow, as the gateway names it. */
export const STATUS_WORDS: Record<string, Word> = {
  running: { sign: '▸', label: 'Running', meaning: 'The onboarding continues.', tone: 'busy' },
  completed: { sign: '■', label: 'Completed', meaning: 'The onboarding has an outcome.', tone: 'calm' },
  failed: FAILED,
  cancelled: { sign: '–', label: 'Cancelled', meaning: 'Somebody cancelled the onboarding.', tone: 'calm' },
  terminated: { sign: '–', label: 'Terminated', meaning: 'Somebody terminated the workflow.', tone: 'bad' },
  timedOut: { sign: '✕', label: 'Timed out', meaning: 'The workflow ran out of time.', tone: 'bad' },
};

export const BATCH_WORDS = {
  running: { sign: '▸', label: 'Running', meaning: '', tone: 'busy' },
  paused: { sign: '‖', label: 'Paused', meaning: '', tone: 'warn' },
  heldUp: { sign: '!', label: 'Held up', meaning: '', tone: 'warn' },
  ended: { sign: '■', label: 'Ended', meaning: '', tone: 'calm' },
} as const satisfies Record<string, Word>;

/** A newer gateway may know more. */
export function wordFor(words: Readonly<Record<string, Word>>, name: string): Word {
  const known = Object.hasOwn(words, name) ? words[name] : undefined;
  return known ?? { sign: '•', label: name, meaning: '', tone: 'calm' };
}
