import type { BatchList } from '../../gateway/types.js';
import { type Context, LINKS, type View } from '../context.js';
import { h, update } from '../dom.js';
import { count } from '../format.js';
import { watch } from '../live.js';
import { empty, loading, problemNotice } from '../parts/notices.js';
import { badge, moment } from '../parts/words.js';
import { BATCH_WORDS } from '../words.js';

/** The batches, those that run first. */
export function batchesView({ api, connection }: Context): View {
  const notice = h('div', {});
  const results = h('div', {}, loading('batches'));
  const watching = watch<BatchList>(
    {
      load: (signal) => api.request('/v1/batches', { signal }),
      show: ({ items, isCut }) => {
        update(notice);
        update(
          results,
          items.length > 0 ? batchTable(items) : empty('There is no batch.'),
          isCut && empty('There are more batches than these.'),
        );
      },
      refused: ({ problem }) => update(notice, problemNotice(problem)),
    },
    connection,
  );
  const element = h('div', {}, h('h1', { tabindex: '-1' }, 'Batches'), notice, results);
  return { title: 'Batches', element, stop: () => watching.stop() };
}

function batchTable(items: BatchList['items']): HTMLElement {
  const head = ['Batch', 'State', 'Of', 'Started', 'Ended'].map((name) => h('th', { scope: 'col' }, name));
  const rows = items.map(({ batchId, of, total, shards, startedAt, closedAt }) =>
    h(
      'tr',
      { 'data-key': batchId },
      h('th', { scope: 'row' }, h('a', { href: LINKS.batch(batchId), class: 'id' }, batchId)),
      h('td', { 'data-name': 'State' }, badge(shards.running > 0 ? BATCH_WORDS.running : BATCH_WORDS.ended)),
      h('td', { 'data-name': 'Of', class: 'number' }, `${count(total)} ${of}`),
      h('td', { 'data-name': 'Started' }, moment(startedAt)),
      h('td', { 'data-name': 'Ended' }, closedAt && moment(closedAt)),
    ),
  );
  return h('table', { class: 'sessions' }, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows));
}
