import { OUTCOMES, STAGES } from '../../contract/types.js';
import type { SessionList } from '../../gateway/types.js';
import { problemOf } from '../api.js';
import { type Context, LINKS, type View } from '../context.js';
import { h, update } from '../dom.js';
import { type Watch, watch } from '../live.js';
import { empty, loading, problemNotice } from '../parts/notices.js';
import { sessionTable } from '../parts/session-table.js';
import { OUTCOME_WORDS, STAGE_WORDS, STATUS_WORDS } from '../words.js';

const PAGE_SIZE = 50;

const STATUS_CHOICES: [value: string, label: string][] = [
  ['open', 'Open'],
  ['closed', 'Ended'],
  ...['completed', 'failed', 'cancelled', 'terminated', 'timedOut'].map((status): [string, string] => [
    status,
    STATUS_WORDS[status]?.label ?? status,
  ]),
];

const FIELDS = ['stage', 'outcome', 'status', 'batch'] as const;

/** The list of sessions, by filter. The filter is in the address, so that it can be kept and shared. */
export function sessionsView({ api, connection, announce }: Context, query: URLSearchParams): View {
  const notice = h('div', {});
  const results = h('div', {}, loading('sessions'));
  const more = h('button', { type: 'button', click: () => void loadMore() }, 'Show more');
  more.hidden = true;
  const filter = Object.fromEntries(
    FIELDS.flatMap((name) => (query.get(name) ? [[name, query.get(name) as string]] : [])),
  );
  const path = `/v1/sessions?${new URLSearchParams({ ...filter, limit: String(PAGE_SIZE) })}`;
  let items: SessionList['items'] = [];
  let cursor: string | null = null;
  // Once a second page is shown, the list stays as it is.
  let watching: Watch | undefined;

  const show = () => {
    update(notice);
    update(results, items.length > 0 ? sessionTable(items) : empty('No session matches.'));
    more.hidden = cursor === null;
  };
  const loadMore = async () => {
    watching?.stop();
    more.disabled = true;
    try {
      const page = await api.request<SessionList>(`${path}&cursor=${encodeURIComponent(cursor ?? '')}`);
      items = [...items, ...page.items];
      cursor = page.cursor;
      show();
      announce(`${items.length} sessions are shown`);
    } catch (error) {
      update(notice, problemNotice(problemOf(error)));
    } finally {
      more.disabled = false;
    }
  };
  watching = watch<SessionList>(
    {
      load: (signal) => api.request(path, { signal }),
      show: (page) => {
        items = page.items;
        cursor = page.cursor;
        show();
      },
      refused: ({ problem }) => {
        update(notice, problemNotice(problem));
        if (items.length === 0) update(results);
      },
    },
    connection,
  );
  const element = h('div', {}, h('h1', { tabindex: '-1' }, 'Sessions'), filterForm(filter), notice, results, more);
  return { title: 'Sessions', element, stop: () => watching?.stop() };
}

function filterForm(filter: Readonly<Record<string, string>>): HTMLElement {
  const words = (known: Readonly<Record<string, { label: string }>>, values: readonly string[]) =>
    values.map((value): [string, string] => [value, known[value]?.label ?? value]);
  const form = h(
    'form',
    { class: 'filter', 'aria-label': 'Filter' },
    choice('Stage', 'stage', words(STAGE_WORDS, STAGES), filter.stage),
    choice('Outcome', 'outcome', words(OUTCOME_WORDS, OUTCOMES), filter.outcome),
    choice('Status', 'status', STATUS_CHOICES, filter.status),
    h(
      'label',
      {},
      h('span', { class: 'field-name' }, 'Batch'),
      h('input', {
        name: 'batch',
        type: 'text',
        value: filter.batch ?? '',
        maxlength: 200,
        autocomplete: 'off',
        spellcheck: 'false',
      }),
    ),
    h('button', { type: 'submit', class: 'primary' }, 'Show'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const chosen = [...new FormData(form)].map(([name, value]) => [name, String(value).trim()]);
    location.hash = LINKS.sessions(Object.fromEntries(chosen.filter(([, value]) => value !== '')));
  });
  return form;
}

function choice(label: string, name: string, options: [string, string][], chosen: string | undefined): HTMLElement {
  const all: [string, string][] = [['', 'Any'], ...options];
  return h(
    'label',
    {},
    h('span', { class: 'field-name' }, label),
    h(
      'select',
      { name },
      ...all.map(([value, text]) => h('option', { value, selected: value === (chosen ?? '') }, text)),
    ),
  );
}
