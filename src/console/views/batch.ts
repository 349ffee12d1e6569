import type { BatchStatus } from '../../gateway/types.js';
import { pauseBatch, resumeBatch, stopBatch } from '../actions.js';
import { type Context, LINKS, type View } from '../context.js';
import { type Child, h, update } from '../dom.js';
import { count, duration } from '../format.js';
import { watch } from '../live.js';
import { type Pace, PaceMeter } from '../pace.js';
import { failuresCard } from '../parts/batch-failures.js';
import { card, facts, loading, problemNotice } from '../parts/notices.js';
import { badge, outcomeBadge } from '../parts/words.js';
import { BATCH_WORDS, type Word } from '../words.js';

/** One batch: how far it is, how fast, what delays it, and how its items ended. */
export function batchView(context: Context, batchId: string): View {
  const { api, connection, announce, can } = context;
  const path = `/v1/batches/${encodeURIComponent(batchId)}`;
  const notice = h('div', {});
  const head = h('div', {}, loading('the batch'));
  const rest = h('div', {});
  const failures = failuresCard(api, path);
  const pace = new PaceMeter();
  const buttons = steering(context, batchId, (what) => {
    announce(what);
    watching.refresh();
  });
  let state: string | undefined;

  const watching = watch<BatchStatus>(
    {
      load: (signal) => api.request(path, { signal }),
      events: can('read')
        ? {
            open: (signal) => api.stream(`/v1/events?batch=${encodeURIComponent(batchId)}`, signal),
            name: 'batch',
            read: (data) => JSON.parse(data) as BatchStatus,
          }
        : null,
      show: (batch) => {
        const left = batch.total - endedOf(batch);
        update(notice);
        update(head, headOf(batch, pace.add(endedOf(batch), left, Date.now())));
        update(rest, outcomesOf(batch));
        buttons.show(batch);
        failures.show(batch);
        const now = wordOf(batch).label;
        if (state !== undefined && state !== now) announce(`The batch is now: ${now}`);
        state = now;
      },
      refused: ({ problem }) => {
        update(notice, problemNotice(problem));
        if (state === undefined) update(head);
      },
      continues: ({ shards }) => shards.running > 0,
    },
    connection,
  );
  const heading = h(
    'h1',
    { tabindex: '-1' },
    h('span', { class: 'quiet' }, 'Batch '),
    h('span', { class: 'id' }, batchId),
  );
  const element = h('div', {}, heading, notice, head, buttons.element, rest, failures.element);
  return { title: `Batch ${batchId}`, element, stop: () => watching.stop() };
}

function endedOf({ done, failed, stopped }: BatchStatus): number {
  return done + failed + stopped;
}

function wordOf({ shards, paused, heldUpBy }: BatchStatus): Word {
  if (shards.running === 0) return BATCH_WORDS.ended;
  if (paused) return BATCH_WORDS.paused;
  return heldUpBy === null ? BATCH_WORDS.running : BATCH_WORDS.heldUp;
}

function headOf(batch: BatchStatus, { perSecond, timeLeftMs }: Pace): HTMLElement {
  const { total, heldUpBy, shards, failed } = batch;
  const ended = endedOf(batch);
  const isOpen = shards.running > 0;
  return h(
    'section',
    { class: `card current${isOpen && heldUpBy !== null ? ' warn' : ''}`, 'aria-label': 'Now' },
    h('div', { class: 'state' }, badge(wordOf(batch))),
    isOpen && heldUpBy !== null && h('p', { class: 'what' }, `Held up: ${heldUpBy}`),
    h(
      'p',
      { class: 'progress' },
      h('progress', { max: total, value: ended, 'aria-label': 'Progress' }),
      h('span', { class: 'number' }, `${count(ended)} of ${count(total)}`),
    ),
    isOpen &&
      h(
        'p',
        { class: 'quiet number' },
        perSecond === null ? 'Measuring the rate …' : `${perSecond.toFixed(1)} per second`,
        timeLeftMs !== null && ` · about ${duration(timeLeftMs)} left`,
      ),
    !isOpen &&
      failed > 0 &&
      h('p', { class: 'next' }, 'Run the same list again with --retry-failed to retry what failed.'),
  );
}

function outcomesOf(batch: BatchStatus): HTMLElement {
  const { batchId, outcomes, failed, stopped, waiting, unknown, shards } = batch;
  const number = (value: number): Child => (value === 0 ? null : h('span', { class: 'number' }, count(value)));
  const rows: [Child, Child][] = Object.entries(outcomes).map(([outcome, value]) => [
    outcomeBadge(outcome),
    number(value),
  ]);
  const table = h(
    'table',
    { class: 'outcomes' },
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Outcome'), h('th', { scope: 'col' }, 'Number'))),
    h('tbody', {}, ...rows.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, value)))),
  );
  return h(
    'div',
    {},
    card(
      'Outcomes',
      rows.length > 0 ? table : h('p', { class: 'quiet' }, 'No item has an outcome yet.'),
      facts([
        ['Failed', number(failed)],
        ['Stopped', number(stopped)],
        ['Waiting for a retry or a score', number(waiting)],
        ['Not known: no worker answers', number(unknown)],
        [
          'Shards',
          `${count(shards.running)} running, ${count(shards.completed)} completed, ${count(shards.ended)} ended without results`,
        ],
        ['Sessions', h('a', { href: LINKS.sessions({ batch: batchId }) }, 'Those with a workflow each')],
      ]),
    ),
  );
}

interface Steering {
  element: HTMLElement;
  show(batch: BatchStatus): void;
}

function steering(context: Context, batchId: string, done: (what: string) => void): Steering {
  const button = (label: string, run: typeof pauseBatch, className = '') =>
    h('button', { type: 'button', class: className, hidden: true, click: () => run(context, batchId, done) }, label);
  const pause = button('Pause …', pauseBatch);
  const resume = button('Resume …', resumeBatch, 'primary');
  const stop = button('Stop …', stopBatch, 'danger');
  const element = h('div', { class: 'buttons', role: 'group', 'aria-label': 'Actions' });
  if (context.can('operate')) element.append(pause, resume, stop);
  return {
    element,
    show: ({ shards, paused }) => {
      pause.hidden = shards.running === 0 || paused;
      resume.hidden = shards.running === 0 || !paused;
      stop.hidden = shards.running === 0;
    },
  };
}
