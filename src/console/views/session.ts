import type { SessionView } from '../../gateway/types.js';
import { cancelSession, extendDeadline, pathOf, renewToken } from '../actions.js';
import { type Advice, adviceFor } from '../advice.js';
import { type Context, type View, webUiLink } from '../context.js';
import { type Child, h, update } from '../dom.js';
import { watch } from '../live.js';
import { card, empty, facts, loading, problemNotice } from '../parts/notices.js';
import { eventList, timelinePicture } from '../parts/timeline.js';
import { exactMoment, outcomeBadge, stateBadge } from '../parts/words.js';

const POLLS = ['IncodeMilestoneNotReached', 'IncodeScoreNotReady'];

/** One session: where it is, what it waits for, what has happened, and what can be done. */
export function sessionView(context: Context, interviewId: string): View {
  const { api, about, connection, announce } = context;
  const notice = h('div', {});
  const head = h('div', {}, loading('the session'));
  const rest = h('div', {});
  const buttons = actionButtons(context, interviewId, (what) => {
    announce(what);
    watching.refresh();
  });
  const heading = h(
    'h1',
    { tabindex: '-1' },
    h('span', { class: 'quiet' }, 'Session '),
    h('span', { class: 'id' }, interviewId),
  );
  const element = h('div', {}, heading, notice, head, buttons.element, rest);
  let state = '';

  const watching = watch<SessionView>(
    {
      load: (signal) => api.request(pathOf(interviewId), { signal }),
      show: (session) => {
        update(notice);
        update(head, headOf(session));
        buttons.show(session);
        update(rest, ...detailsOf(session, webUiLink(about, session.workflowId)));
        // Those who do not see the page hear of a change.
        const now = stateOf(session);
        if (state !== '' && state !== now) announce(`The session is now: ${now}`);
        state = now;
      },
      refused: ({ problem }) => {
        update(notice, problemNotice(problem));
        if (state === '') update(head);
      },
      continues: ({ status }) => status === 'running',
      events: context.can('read')
        ? {
            open: (signal) => api.stream(`/v1/events?session=${encodeURIComponent(interviewId)}`, signal),
            name: 'state',
            // Events are the same for everybody, so they leave out what only some tokens may see.
            read: (data) => (context.can('start') ? undefined : (JSON.parse(data) as SessionView)),
          }
        : null,
    },
    connection,
  );
  return { title: `Session ${interviewId}`, element, stop: () => watching.stop() };
}

function stateOf({ status, state, result }: SessionView): string {
  return result?.outcome ?? (status === 'running' ? (state?.stage ?? 'unknown') : status);
}

function badgeOf({ status, state, result }: SessionView): HTMLElement {
  return stateBadge({ status, stage: state?.stage ?? null, outcome: result?.outcome ?? null });
}

function headOf(session: SessionView): HTMLElement {
  const advice = adviceFor(session);
  return h(
    'section',
    { class: `card current${advice.isUrgent ? ' warn' : ''}`, 'aria-label': 'Now' },
    h('div', { class: 'state' }, badgeOf(session)),
    ...adviceOf(advice),
    deadlineOf(session),
  );
}

function adviceOf({ what, next }: Advice): Child[] {
  return [h('p', { class: 'what' }, what), next && h('p', { class: 'next' }, next)];
}

function deadlineOf({ status, state }: SessionView): Child {
  if (status !== 'running' || !state?.deadline) return null;
  return h('p', {}, 'This stage ends by itself at ', exactMoment(state.deadline), '.');
}

interface Buttons {
  element: HTMLElement;
  show(session: SessionView): void;
}

/** Only buttons that the token permits and the session takes. */
function actionButtons(context: Context, interviewId: string, done: (what: string) => void): Buttons {
  const button = (label: string, run: typeof renewToken, className = '') =>
    h(
      'button',
      { type: 'button', class: className, hidden: true, click: () => run(context, interviewId, done) },
      label,
    );
  const renew = button('Hand in a token …', renewToken);
  const extend = button('Extend the deadline …', extendDeadline);
  const cancel = button('Cancel the onboarding …', cancelSession, 'danger');
  const element = h('div', { class: 'buttons', role: 'group', 'aria-label': 'Actions' });
  if (context.can('start', 'operate')) element.append(renew);
  if (context.can('operate')) element.append(extend, cancel);
  return {
    element,
    show: ({ status, state }) => {
      const isOpen = status === 'running';
      renew.hidden = !isOpen || state?.stage === 'done';
      renew.className = state?.stage === 'needsToken' ? 'primary' : '';
      extend.hidden = !isOpen || !state?.deadline;
      cancel.hidden = !isOpen;
    },
  };
}

function detailsOf(session: SessionView, webUi: string | null): Child[] {
  const { state, call, closedAt, status } = session;
  const timeline = state?.timeline ?? [];
  const end = closedAt === null ? Date.now() : Date.parse(closedAt);
  return [
    call && card('Call to Incode', callFacts(call)),
    card(
      'Timeline',
      timeline.length > 0
        ? [timelinePicture(timeline, end, status === 'running'), eventList(timeline)]
        : empty('No worker answered, so what happened is not known.'),
    ),
    card('Facts', factsOf(session, webUi)),
  ];
}

function callFacts({ activity, attempt, lastFailure, nextAttemptAt, paused }: NonNullable<SessionView['call']>) {
  return facts([
    ['Call', h('code', {}, activity)],
    ['Attempt', h('span', { class: 'number' }, attempt)],
    [
      isPoll(lastFailure) ? 'Last answer' : 'Last failure',
      lastFailure && [lastFailure.message, ' ', h('span', { class: 'quiet' }, `(${lastFailure.type})`)],
    ],
    ['Next attempt', paused ? 'paused by an operator' : nextAttemptAt ? exactMoment(nextAttemptAt) : 'in flight now'],
  ]);
}

/** A poll that has found nothing yet is the normal course. */
function isPoll(failure: { type: string } | null): boolean {
  return failure !== null && POLLS.includes(failure.type);
}

function factsOf(
  { startedAt, closedAt, state, result, failure, workflowId, runId }: SessionView,
  webUi: string | null,
) {
  const finish = result?.finish ?? state?.finish;
  const score = result?.score ?? state?.score;
  const status = result?.onboardingStatus ?? state?.onboardingStatus;
  return facts([
    ['Outcome', result && outcomeBadge(result.outcome)],
    [
      'Score',
      score && [
        h('strong', {}, score.status),
        score.value !== null && h('span', { class: 'number' }, ` ${score.value}`),
      ],
    ],
    ['Action', finish && (finish.action ?? 'not known')],
    ['Confirmed by', finish?.confirmedBy],
    ['Redirection URL', finish?.redirectionUrl && h('span', { class: 'id' }, finish.redirectionUrl)],
    [
      'Status at Incode',
      status && [h('code', {}, status), result?.confirmedBy === 'webhook' && ' (only a webhook said so)'],
    ],
    ['Closed at Incode', result && (result.closed === null ? null : result.closed ? 'yes' : 'no, Incode refused')],
    ['Failure', failure && h('code', {}, failure.type)],
    ['Started', exactMoment(startedAt)],
    ['Ended', closedAt && exactMoment(closedAt)],
    ['Plan', state?.plan && planOf(state.plan)],
    ['Workflow', h('span', { class: 'id' }, workflowId)],
    ['Run', h('span', { class: 'id' }, runId)],
    ['Temporal', webUi && h('a', { href: webUi, target: '_blank', rel: 'noreferrer' }, 'Open in the Web UI')],
  ]);
}

function planOf(plan: object): HTMLElement {
  return h('ul', { class: 'plan' }, ...Object.entries(plan).map(([name, value]) => h('li', {}, `${name}: ${value}`)));
}
