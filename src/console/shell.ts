import { type Context, LINKS, type View } from './context.js';
import { h, update } from './dom.js';
import { refreshMoments } from './parts/words.js';

/** What surrounds every page: name, navigation, search, who is signed in, and whether the gateway answers. */
export class Shell {
  private readonly main = h('main', { id: 'main' });
  private readonly header = h('header', {});
  private readonly spoken = h('div', { class: 'unseen', role: 'status' });
  private readonly toast = h('div', { class: 'toast', 'aria-hidden': 'true' });
  private readonly banner = h('div', { class: 'banner', role: 'status' });
  private retryAt: number | null = null;
  private view: View | undefined;
  private toastTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(root: HTMLElement) {
    const skip = h('a', { class: 'skip', href: '#main' }, 'Skip to the content');
    skip.addEventListener('click', (event) => {
      // The address names the page, so the link must not change it.
      event.preventDefault();
      this.focusHeading();
    });
    root.replaceChildren(skip, this.header, this.banner, this.main, this.toast, this.spoken);
    setInterval(() => {
      if (document.hidden) return;
      refreshMoments(this.main);
      this.showBanner();
    }, 1_000);
  }

  /** @param signOut `null` if nobody has to sign in */
  showHeader(context: Context | null, signOut: (() => void) | null): void {
    const name = h('a', { href: LINKS.overview, class: 'name' }, 'temporal-incode');
    if (context === null) {
      this.header.replaceChildren(name);
      return;
    }
    const { about } = context;
    const scopes = about.scopes.join(', ');
    const who = signOut && [
      h('span', { class: 'quiet who', title: `Scopes: ${scopes}` }, `${about.name} (${scopes})`),
      h('button', { type: 'button', class: 'plain', click: signOut }, 'Sign out'),
    ];
    const pages: [string, string][] = [
      ['Overview', LINKS.overview],
      ['Sessions', LINKS.sessions()],
      ['Batches', LINKS.batches],
    ];
    this.header.replaceChildren(
      name,
      h(
        'nav',
        { 'aria-label': 'Pages' },
        ...(context.can('read') ? pages.map(([label, href]) => h('a', { href }, label)) : []),
      ),
      searchForm(),
      h('div', { class: 'account' }, ...(who ?? [])),
    );
  }

  /** Leaves the page before and shows another. */
  showView(make: () => View): void {
    this.view?.stop();
    const isFirst = this.view === undefined;
    this.view = make();
    this.main.replaceChildren(this.view.element);
    document.title = `${this.view.title} – temporal-incode`;
    for (const link of this.header.querySelectorAll('nav a')) {
      if (pageOf(link.getAttribute('href') ?? '') === pageOf(location.hash)) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    if (!isFirst) this.focusHeading();
    scrollTo(0, 0);
  }

  announce(text: string): void {
    this.spoken.textContent = text;
    this.toast.textContent = text;
    this.toast.classList.add('shown');
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => this.toast.classList.remove('shown'), 6_000);
  }

  /** @param retryAt `null` if the gateway answers */
  showConnection(retryAt: number | null): void {
    this.retryAt = retryAt;
    this.showBanner();
  }

  private showBanner(): void {
    if (this.retryAt === null) {
      update(this.banner);
      return;
    }
    update(
      this.banner,
      h('strong', {}, 'The gateway does not answer.'),
      ' This page may be out of date. It asks again by itself',
      // A screen reader hears the sentence once, not the seconds.
      h('span', { 'aria-hidden': 'true' }, ` in ${Math.max(0, Math.ceil((this.retryAt - Date.now()) / 1_000))} s`),
      '.',
    );
  }

  private focusHeading(): void {
    this.main.querySelector('h1')?.focus();
  }
}

/** The first part of the address, such as `sessions`. */
function pageOf(hash: string): string {
  return hash.replace(/^#\/?/, '').split(/[/?]/, 1)[0] ?? '';
}

function searchForm(): HTMLElement {
  const field = h('input', {
    type: 'search',
    name: 'interviewId',
    placeholder: 'Interview id',
    'aria-label': 'Interview id',
    autocomplete: 'off',
    spellcheck: 'false',
    maxlength: 200,
  });
  const form = h('form', { role: 'search' }, field, h('button', { type: 'submit' }, 'Find'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const id = field.value.trim();
    if (id === '') return;
    field.value = '';
    location.hash = LINKS.session(id);
  });
  return form;
}
