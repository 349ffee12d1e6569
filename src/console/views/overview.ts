import type { BatchList, BatchStatus, Overview, SessionList } from '../../gateway/types.js';
import { type Context, LINKS, type View } from '../context.js';
import { h, update } from '../dom.js';
import { count } from '../format.js';
import { watch } from '../live.js';
import { card, empty, loading, problemNotice } from '../parts/notices.js';
import { outcomesChart } from '../parts/outcomes-chart.js';
import { sessionTable } from '../parts/session-table.js';
import { BATCH_WORDS, STAGE_WORDS } from '../words.js';

/** As many sessions that wait for a person as fit above the fold. */
const LISTED = 5;

/** Open batches that are looked at, and how often: each look queries the shards of the batch. */
const BATCHES_LOOKED_AT = 5;
const BATCHES_EVERY_MS = 60_000;

interface Shown {
  overview: Overview;
  waiting: SessionList['items'];
  heldUp: BatchStatus[];
}

export function overviewView({ api, connection }: Context): View {
  const notice = h('div', {});
  const attention = h('div', {});
  const stages = h('div', {}, loading('the overview'));
  const chart = outcomesChart();
  const chartCard = card('Ended in the last 24 hours', chart.element, empty('Without the sessions of batches.'));
  chartCard.hidden = true;
  const element = h('div', {}, h('h1', { tabindex: '-1' }, 'Overview'), notice, attention, stages, chartCard);

  const batches = heldUpBatches(api);
  const watching = watch<Shown>(
    {
      load: async (signal) => {
        const [overview, heldUp, ...lists] = await Promise.all([
          api.request<Overview>('/v1/overview', { signal }),
          batches(signal),
          ...['needsToken', 'inReview'].map((stage) =>
            api.request<SessionList>(`/v1/sessions?stage=${stage}&status=open&limit=${LISTED}`, { signal }),
          ),
        ]);
        return { overview, heldUp, waiting: lists.flatMap(({ items }) => items) };
      },
      show: ({ overview, waiting, heldUp }) => {
        update(notice);
        update(attention, attentionCard(overview, waiting, heldUp));
        update(stages, stagesCard(overview));
        chartCard.hidden = false;
        chart.show(overview.hours);
      },
      refused: ({ problem }) => {
        update(notice, problemNotice(problem));
        if (chartCard.hidden) update(stages);
      },
    },
    connection,
  );
  return {
    title: 'Overview',
    element,
    stop: () => {
      watching.stop();
      chart.stop();
    },
  };
}

function attentionCard(
  { sessions, people }: Overview,
  waiting: SessionList['items'],
  heldUp: BatchStatus[],
): HTMLElement {
  const tiles = [
    { ...STAGE_WORDS.needsToken, value: sessions.needsToken, href: open('needsToken'), help: 'Hand in a fresh token' },
    { ...STAGE_WORDS.inReview, value: sessions.inReview, href: open('inReview'), help: "Decide on Incode's dashboard" },
    {
      label: 'People who need an image',
      sign: '!',
      value: people.needsImage,
      href: null,
      help: 'temporal-incode list --people --stage needsImage',
    },
    {
      label: 'People who need a token',
      sign: '!',
      value: people.needsToken,
      href: null,
      help: 'temporal-incode list --people --stage needsToken',
    },
    {
      ...BATCH_WORDS.heldUp,
      label: 'Batches held up',
      value: heldUp.length,
      href: LINKS.batches,
      help: 'See what delays them',
    },
  ].filter(({ value, href }) => value > 0 || (href !== null && href !== LINKS.batches));
  const isCalm = tiles.every(({ value }) => value === 0);
  return card(
    'Waiting for a person',
    h('div', { class: 'tiles' }, ...tiles.map((tile) => tileOf(tile, tile.value > 0))),
    isCalm ? empty('Nothing waits for anybody.') : waiting.length > 0 && sessionTable(waiting),
    heldUp.length > 0 && h('ul', { class: 'held-up' }, ...heldUp.map(heldUpItem)),
  );
}

function heldUpItem({ batchId, heldUpBy }: BatchStatus): HTMLElement {
  return h('li', {}, h('a', { href: LINKS.batch(batchId), class: 'id' }, batchId), ` ${heldUpBy}`);
}

/** Open batches that something delays. */
function heldUpBatches(api: Context['api']): (signal: AbortSignal) => Promise<BatchStatus[]> {
  let last: BatchStatus[] = [];
  let at: number | undefined;
  return async (signal) => {
    if (at !== undefined && performance.now() - at < BATCHES_EVERY_MS) return last;
    const { items } = await api.request<BatchList>('/v1/batches?status=open', { signal });
    const paths = items.slice(0, BATCHES_LOOKED_AT).map(({ batchId }) => `/v1/batches/${encodeURIComponent(batchId)}`);
    const looks = await Promise.all(paths.map((path) => api.request<BatchStatus>(path, { signal })));
    last = looks.filter(({ heldUpBy }) => heldUpBy !== null);
    at = performance.now();
    return last;
  };
}

function stagesCard({ sessions }: Overview): HTMLElement {
  const atWork = {
    label: 'At work',
    sign: '▸',
    help: 'Finishing, closing or scoring',
    href: LINKS.sessions({ status: 'open' }),
  };
  const waiting = { ...STAGE_WORDS.waiting, help: 'For the person, or for your application', href: open('waiting') };
  return card(
    'Open sessions',
    h(
      'div',
      { class: 'tiles' },
      tileOf({ ...waiting, value: sessions.waiting }),
      tileOf({ ...atWork, value: sessions.atWork }),
    ),
  );
}

interface Tile {
  label: string;
  sign: string;
  value: number;
  help: string;
  href: string | null;
}

function tileOf({ label, sign, value, help, href }: Tile, needsSomebody = false): HTMLElement {
  const content = [
    h('span', { class: 'label' }, h('span', { class: 'sign', 'aria-hidden': 'true' }, sign), ` ${label}`),
    h('strong', { class: 'number' }, count(value)),
    h('span', { class: 'quiet' }, help),
  ];
  const attributes = { class: needsSomebody ? 'tile warn' : 'tile', 'data-key': label };
  return href === null ? h('div', attributes, ...content) : h('a', { ...attributes, href }, ...content);
}

function open(stage: string): string {
  return LINKS.sessions({ stage, status: 'open' });
}
