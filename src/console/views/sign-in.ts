import type { Problem } from '../../gateway/types.js';
import type { View } from '../context.js';
import { h } from '../dom.js';
import { problemNotice } from '../parts/notices.js';

/** @param problem why the token before was not accepted */
export function signInView(signIn: (token: string) => void, problem: Problem | null): View {
  const field = h('input', {
    id: 'token',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'token-help',
    required: true,
  });
  const form = h(
    'form',
    { class: 'card sign-in' },
    h('label', { for: 'token' }, 'Token of this gateway'),
    field,
    h(
      'p',
      { id: 'token-help', class: 'quiet' },
      'The operator of the gateway makes it. It is kept until you close this tab.',
    ),
    problem && problemNotice(problem),
    h('button', { type: 'submit', class: 'primary' }, 'Sign in'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (field.value.trim() !== '') signIn(field.value.trim());
  });
  return {
    title: 'Sign in',
    element: h('div', {}, h('h1', { tabindex: '-1' }, 'Sign in'), form),
    stop: () => undefined,
  };
}
