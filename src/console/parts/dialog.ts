import { problemOf } from '../api.js';
import { type Child, h, update } from '../dom.js';
import { problemNotice } from './notices.js';

export interface DialogOptions {
  title: string;
  body: Child;
  confirm: string;
  /** The label of the button that changes nothing. */
  dismiss?: string;
  isDangerous?: boolean;
  /** The dialog stays open and shows the problem if it throws. */
  act(): Promise<void>;
}

/** Asks before something is changed. The browser keeps the focus inside, and returns it at the end. */
export function openDialog({ title, body, confirm, dismiss = 'Back', isDangerous, act }: DialogOptions): void {
  const problem = h('div', {});
  const button = h('button', { type: 'submit', class: isDangerous ? 'danger' : 'primary' }, confirm);
  const heading = h('h2', { id: 'dialog-title' }, title);
  const back = h('button', { type: 'button', click: () => dialog.close() }, dismiss);
  const form = h('form', { novalidate: true }, heading, body, problem, h('div', { class: 'buttons' }, back, button));
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    button.disabled = true;
    update(problem);
    act().then(
      () => dialog.close(),
      (error: unknown) => {
        button.disabled = false;
        update(problem, problemNotice(problemOf(error)));
      },
    );
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
