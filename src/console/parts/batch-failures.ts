import type { BatchStatus } from '../../gateway/types.js';
import { type Api, problemOf } from '../api.js';
import { LINKS } from '../context.js';
import { h, update } from '../dom.js';
import { count } from '../format.js';
import { card, empty, problemNotice } from './notices.js';

/** Rows of a type that are listed, and so many types. */
const LISTED = 5;

interface Row {
  interviewId?: string;
  reference?: string;
  failure?: { type: string; message: string } | null;
}

export interface FailuresCard {
  element: HTMLElement;
  show(batch: BatchStatus): void;
}

/** The failures of a batch by their type. They are read only on demand, because that reads all results. */
export function failuresCard(api: Api, path: string): FailuresCard {
  const content = h('div', {});
  const button = h('button', { type: 'button', click: () => void load() }, 'Show failures by type');
  const element = card('Failures', button, content);
  element.hidden = true;

  const load = async () => {
    button.disabled = true;
    try {
      const text = await api.text(`${path}/results?format=ndjson&partial=true`);
      const rows = text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Row);
      update(content, failureTable(rows));
    } catch (error) {
      update(content, problemNotice(problemOf(error)));
    } finally {
      button.disabled = false;
    }
  };
  return {
    element,
    show: ({ failed }) => {
      element.hidden = failed === 0;
    },
  };
}

function failureTable(rows: Row[]): HTMLElement {
  const byType = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.failure) byType.set(row.failure.type, [...(byType.get(row.failure.type) ?? []), row]);
  }
  if (byType.size === 0) return empty('The parts with failures are still running. Their rows come when they are done.');
  const head = ['Type', 'Number', 'For example'].map((name) => h('th', { scope: 'col' }, name));
  const sorted = [...byType].sort(([, a], [, b]) => b.length - a.length);
  return h(
    'table',
    {},
    h('thead', {}, h('tr', {}, ...head)),
    h(
      'tbody',
      {},
      ...sorted.map(([type, some]) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, h('code', {}, type)),
          h('td', { class: 'number' }, count(some.length)),
          h('td', {}, some[0]?.failure?.message, h('ul', { class: 'examples' }, ...some.slice(0, LISTED).map(example))),
        ),
      ),
    ),
  );
}

function example({ interviewId, reference }: Row): HTMLElement {
  if (reference !== undefined) return h('li', { class: 'id' }, reference);
  return h('li', {}, h('a', { class: 'id', href: LINKS.session(interviewId ?? '') }, interviewId));
}
