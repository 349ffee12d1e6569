import type { SessionList } from '../../gateway/types.js';
import { LINKS } from '../context.js';
import { h } from '../dom.js';
import { moment, stateBadge } from './words.js';

export function sessionTable(items: SessionList['items']): HTMLElement {
  const head = ['Session', 'State', 'Batch', 'Started', 'Ended'].map((name) => h('th', { scope: 'col' }, name));
  return h(
    'table',
    { class: 'sessions' },
    h('thead', {}, h('tr', {}, ...head)),
    h('tbody', {}, ...items.map(sessionRow)),
  );
}

export function sessionRow(item: SessionList['items'][number]): HTMLElement {
  const { interviewId, runId, batchId, startedAt, closedAt } = item;
  return h(
    'tr',
    { 'data-key': runId },
    h('th', { scope: 'row' }, h('a', { href: LINKS.session(interviewId), class: 'id' }, interviewId)),
    h('td', { 'data-name': 'State' }, stateBadge(item)),
    h('td', { 'data-name': 'Batch' }, batchId && h('a', { href: LINKS.sessions({ batch: batchId }) }, batchId)),
    h('td', { 'data-name': 'Started' }, moment(startedAt)),
    h('td', { 'data-name': 'Ended' }, closedAt && moment(closedAt)),
  );
}
