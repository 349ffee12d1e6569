import type { TimelineEntry } from '../../contract/types.js';
import { type Child, h } from '../dom.js';
import { clock, dateTime, duration } from '../format.js';
import { segmentsOf } from '../timeline-layout.js';
import { STAGE_WORDS, wordFor } from '../words.js';

/** A session's life as a picture: one part for each stage, wider for longer ones, with a mark for each event. */
export function timelinePicture(timeline: readonly TimelineEntry[], end: number, isOpen: boolean): Child {
  const segments = segmentsOf(timeline, end);
  if (segments.length === 0) return null;
  const list = h('ol', { class: 'strip', tabindex: '0', 'aria-label': 'Time spent in each stage' });
  segments.forEach(({ stage, from, to, weight, events }, at) => {
    const { label, tone } = wordFor(STAGE_WORDS, stage);
    const isNow = isOpen && at === segments.length - 1;
    const part = h(
      'li',
      { class: `${tone}${isNow ? ' now' : ''}` },
      h('span', { class: 'label' }, label),
      h('span', { class: 'quiet number' }, duration(to - from), isNow ? ' so far' : ''),
      h('span', { class: 'ticks', 'aria-hidden': 'true' }, ...events.map(tick)),
    );
    // The strict policy for styles allows properties, not style attributes.
    part.style.flexGrow = String(weight);
    list.append(part);
  });
  return list;
}

function tick(position: number): HTMLElement {
  const mark = h('span', {});
  mark.style.left = `${(position * 100).toFixed(2)}%`;
  return mark;
}

/** What happened, oldest first, with the time since the event before. */
export function eventList(timeline: readonly TimelineEntry[]): HTMLElement {
  return h(
    'ol',
    { class: 'events' },
    ...timeline.map(({ at, event }, index) => {
      const before = timeline[index - 1];
      const since = before ? Date.parse(at) - Date.parse(before.at) : 0;
      const isOtherDay = before === undefined || dateTime(before.at).slice(0, 10) !== dateTime(at).slice(0, 10);
      return h(
        'li',
        {},
        h('time', { datetime: at, class: 'number', title: at }, isOtherDay ? dateTime(at) : clock(at)),
        h('span', { class: 'since quiet number' }, before && since >= 100 ? `+${duration(since)}` : ''),
        h('span', { class: 'event' }, event),
      );
    }),
  );
}
