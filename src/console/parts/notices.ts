import type { Problem } from '../../gateway/types.js';
import { type Child, h } from '../dom.js';

/** What the gateway refused, in its own words. */
export function problemNotice({ title, detail, field }: Problem): HTMLElement {
  return h(
    'div',
    { class: 'notice bad', role: 'alert' },
    h('strong', {}, title),
    h('p', {}, detail, field ? h('span', { class: 'quiet' }, ` (${field})`) : null),
  );
}

export function loading(what: string): HTMLElement {
  return h('p', { class: 'quiet loading', role: 'status' }, `Loading ${what} …`);
}

export function empty(...children: Child[]): HTMLElement {
  return h('p', { class: 'quiet empty' }, ...children);
}

export function card(title: string, ...children: Child[]): HTMLElement {
  return h('section', { class: 'card' }, h('h2', {}, title), ...children);
}

/** Names and values. Rows without a value are left out. */
export function facts(rows: readonly [name: string, value: Child][]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    ...rows.flatMap(([name, value]) =>
      value === null || value === undefined || value === false
        ? []
        : [h('div', {}, h('dt', {}, name), h('dd', {}, value))],
    ),
  );
}
