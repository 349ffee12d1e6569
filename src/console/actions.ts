import type { Context } from './context.js';
import { h } from './dom.js';
import { openDialog } from './parts/dialog.js';

// What people can change, each after a confirmation.

/** @param done called after the gateway has accepted the change */
export function renewToken({ api }: Context, interviewId: string, done: (what: string) => void): void {
  const field = h('textarea', {
    id: 'session-token',
    rows: 4,
    autocomplete: 'off',
    spellcheck: 'false',
    autocapitalize: 'none',
    'aria-describedby': 'session-token-help',
  });
  openDialog({
    title: 'Hand in a session token',
    confirm: 'Hand in',
    body: [
      h('label', { for: 'session-token' }, 'Session token that Incode issued for this session'),
      field,
      h(
        'p',
        { id: 'session-token-help', class: 'quiet' },
        'A token of another session is refused. The token is not shown again.',
      ),
    ],
    act: async () => {
      await api.request(`${pathOf(interviewId)}/token`, { method: 'POST', body: { sessionToken: field.value.trim() } });
      done('The token was handed in');
    },
  });
}

export function extendDeadline({ api }: Context, interviewId: string, done: (what: string) => void): void {
  const amount = h('input', {
    id: 'amount',
    type: 'number',
    min: 1,
    max: 365,
    step: 1,
    value: 7,
    inputmode: 'numeric',
  });
  const unit = h(
    'select',
    { id: 'unit' },
    ...['hours', 'days', 'weeks'].map((name) => h('option', { value: name, selected: name === 'days' }, name)),
  );
  // The same key for the same wish, so that a repeated request extends the deadline once.
  const key = randomKey();
  openDialog({
    title: 'Extend the deadline',
    confirm: 'Extend',
    body: [
      h('p', {}, 'The time is added to the deadline of the current stage.'),
      h(
        'div',
        { class: 'pair' },
        h('label', {}, h('span', { class: 'field-name' }, 'By'), amount),
        h('label', {}, h('span', { class: 'field-name' }, 'Unit'), unit),
      ),
    ],
    act: async () => {
      const by = `${amount.value} ${unit.value}`;
      const headers = { 'idempotency-key': `${key}-${amount.value}-${unit.value}` };
      await api.request(`${pathOf(interviewId)}/deadline`, { method: 'POST', body: { by }, headers });
      done(`The deadline was extended by ${by}`);
    },
  });
}

export function cancelSession({ api }: Context, interviewId: string, done: (what: string) => void): void {
  openDialog({
    title: 'Cancel the onboarding?',
    confirm: 'Cancel the onboarding',
    isDangerous: true,
    body: [
      h('p', {}, 'Session ', h('code', { class: 'id' }, interviewId)),
      h(
        'p',
        {},
        'The onboarding stops without an outcome. What Incode has done so far stays. You can start the session again.',
      ),
    ],
    act: async () => {
      await api.request(pathOf(interviewId), { method: 'DELETE' });
      done('The onboarding is being cancelled');
    },
  });
}

export function pauseBatch(context: Context, batchId: string, done: (what: string) => void): void {
  steer(context, batchId, {
    ...{ title: 'Pause the batch?', confirm: 'Pause', operation: 'pause' },
    text: 'It begins no more sessions until you resume it. Calls in flight end normally.',
    done: () => done('The batch is being paused'),
  });
}

export function resumeBatch(context: Context, batchId: string, done: (what: string) => void): void {
  steer(context, batchId, {
    ...{ title: 'Resume the batch?', confirm: 'Resume', operation: 'resume' },
    text: 'It begins further sessions again.',
    done: () => done('The batch is being resumed'),
  });
}

export function stopBatch(context: Context, batchId: string, done: (what: string) => void): void {
  steer(context, batchId, {
    ...{ title: 'Stop the batch?', confirm: 'Stop the batch', operation: 'stop', isDangerous: true },
    text: 'It ends as soon as its calls in flight are done. Sessions that were not begun get the failure BatchStopped.',
    done: () => done('The batch is being stopped'),
  });
}

interface Steering {
  title: string;
  text: string;
  confirm: string;
  operation: string;
  isDangerous?: boolean;
  done(): void;
}

function steer({ api }: Context, batchId: string, { operation, text, done, ...dialog }: Steering): void {
  openDialog({
    ...dialog,
    body: [h('p', {}, 'Batch ', h('code', { class: 'id' }, batchId)), h('p', {}, text)],
    act: async () => {
      await api.request(`/v1/batches/${encodeURIComponent(batchId)}/${operation}`, { method: 'POST' });
      done();
    },
  });
}

export function pathOf(interviewId: string): string {
  return `/v1/sessions/${encodeURIComponent(interviewId)}`;
}

function randomKey(): string {
  // Unlike randomUUID, this also exists on pages without TLS.
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join('');
}
