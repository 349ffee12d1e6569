import { h } from '../dom.js';
import { dateTime, relativeTime } from '../format.js';
import { FAILED, OUTCOME_WORDS, STAGE_WORDS, STATUS_WORDS, type Word, wordFor } from '../words.js';

/** A sign and a word in a frame. */
export function badge({ sign, label, tone }: Word): HTMLElement {
  return h(
    'span',
    { class: `badge ${tone}` },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
    h('span', {}, label),
  );
}

export const stageBadge = (stage: string) => badge(wordFor(STAGE_WORDS, stage));
export const outcomeBadge = (outcome: string) => badge(wordFor(OUTCOME_WORDS, outcome));

/** One badge that says where a session is: its outcome, how it ended without one, or its stage. */
export function stateBadge(of: { status: string; stage: string | null; outcome: string | null }): HTMLElement {
  if (of.outcome !== null) return outcomeBadge(of.outcome);
  if (of.status !== 'running') return badge(of.status === 'failed' ? FAILED : wordFor(STATUS_WORDS, of.status));
  return of.stage === null ? badge(wordFor(STATUS_WORDS, 'running')) : stageBadge(of.stage);
}

/** A moment such as "3 minutes ago", with date and time. */
export function moment(at: string): HTMLElement {
  return h('time', { datetime: at, title: dateTime(at), 'data-relative': true }, relativeTime(at));
}

/** The same, with date and time in full. */
export function exactMoment(at: string): HTMLElement {
  return h('span', {}, h('span', { class: 'number' }, dateTime(at)), h('span', { class: 'quiet' }, ' · ', moment(at)));
}

/** Keeps every relative time right while nothing else changes. */
export function refreshMoments(root: ParentNode): void {
  for (const element of root.querySelectorAll('time[data-relative]')) {
    const text = relativeTime(element.getAttribute('datetime') ?? '');
    if (element.textContent !== text) element.textContent = text;
  }
}
