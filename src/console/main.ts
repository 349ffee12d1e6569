import type { About } from '../gateway/types.js';
import { Api, type ApiProblem } from './api.js';
import type { Context, View } from './context.js';
import { h } from './dom.js';
import { type Connection, watch } from './live.js';
import { empty, problemNotice } from './parts/notices.js';
import { Shell } from './shell.js';
import { batchView } from './views/batch.js';
import { batchesView } from './views/batches.js';
import { overviewView } from './views/overview.js';
import { sessionView } from './views/session.js';
import { sessionsView } from './views/sessions.js';
import { signInView } from './views/sign-in.js';

const api = new Api();
const shell = new Shell(document.getElementById('console') as HTMLElement);
let context: Context | undefined;

addEventListener('hashchange', () => {
  if (context) shell.showView(() => viewFor(context as Context, location.hash));
});
begin();

/** Asks who we are, until the gateway answers. */
function begin(): void {
  const asking = watch<About>(
    {
      load: (signal) => api.request('/v1/about', { signal }),
      show: (about) => {
        asking.stop();
        open(about);
      },
      refused: ({ problem }) => {
        shell.showHeader(null, null);
        shell.showView(() => problemView(problem));
      },
    },
    {
      ...connectionOf(),
      needsSignIn: ({ problem }) => {
        asking.stop();
        askToSignIn(api.hasToken ? problem : null);
      },
    },
  );
}

function connectionOf(): Connection {
  return {
    works: () => shell.showConnection(null),
    isAway: (retryAt) => shell.showConnection(retryAt),
    needsSignIn: ({ problem }) => askToSignIn(problem),
  };
}

function askToSignIn(problem: ApiProblem['problem'] | null): void {
  context = undefined;
  api.signOut();
  shell.showHeader(null, null);
  const signIn = (token: string) => {
    api.signIn(token);
    begin();
  };
  shell.showView(() => signInView(signIn, problem));
}

function open(about: About): void {
  context = {
    api,
    about,
    can: (...scopes) => scopes.some((scope) => about.scopes.includes(scope)),
    connection: connectionOf(),
    announce: (text) => shell.announce(text),
  };
  shell.showHeader(context, api.hasToken ? () => askToSignIn(null) : null);
  shell.showView(() => viewFor(context as Context, location.hash));
}

function viewFor(known: Context, hash: string): View {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page = '', id] = path.split('/', 2);
  if (page === 'sessions' && id && known.can('read', 'start')) return sessionView(known, decoded(id));
  if (page === 'batches' && id && known.can('read', 'start')) return batchView(known, decoded(id));
  if (!known.can('read')) return limitedView(known);
  if (page === 'sessions') return sessionsView(known, new URLSearchParams(query));
  if (page === 'batches') return batchesView(known);
  if (page === '') return overviewView(known);
  return textView('Nothing here', 'There is no such page. Choose one above.');
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

function limitedView({ about, can }: Context): View {
  const scopes = about.scopes.join(', ');
  const rest = can('start')
    ? 'Enter an interview id above to see its session.'
    : 'To see sessions, sign in with a token that has the scope read.';
  return textView('Welcome', `The token ${about.name} has the scope ${scopes}, which does not show lists. ${rest}`);
}

function textView(title: string, text: string): View {
  return { title, element: h('div', {}, h('h1', { tabindex: '-1' }, title), empty(text)), stop: () => undefined };
}

function problemView(problem: ApiProblem['problem']): View {
  const element = h('div', {}, h('h1', { tabindex: '-1' }, 'Not available'), problemNotice(problem));
  return { title: 'Not available', element, stop: () => undefined };
}
