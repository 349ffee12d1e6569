import { asAssumed, configure, type Judgment, type Settings, safe, unsafe } from '../check.js';
import type { ForeignRead, Observations } from '../observations.js';
import { isSuccess, type Reply } from '../reply.js';

// What protects a session from the token of another session, and what to configure for it.

const GIVE_EXECUTIVE =
  'Give workers an executive token (docs/worker.md). They then read status and score by id with it, and report no action for a token that is not proven. Without it, they do not detect a mixed-up token. Keep id and token together in one record.';
const EXECUTIVE_PROTECTS =
  'Workers with this executive token read status and score by id with it, and report no action for a token that is not proven. A mixed-up token still finishes its own session: keep id and token together in one record.';
const CORRECT_EXECUTIVE =
  'Correct the executive token of this environment first: see executive-read. Without it, workers do not detect a mixed-up token.';
const REMOVE_SETTING =
  'Remove INCODE_REFUSES_FOREIGN_IDS: with it, workers consider every token proven, even a mixed-up one.';
const SET_SETTING =
  'Set INCODE_REFUSES_FOREIGN_IDS=true on workers: the read by id then proves each token. Without it, workers with an executive token report no action.';
const READ_FINDS = 'The read by id detects a mixed-up token: see foreign-status.';

type Seen = Partial<Observations>;

/** For a status that Incode answers although the id is not that of the token's session. */
export function judgeAnswered(what: string, seen: Seen, settings: Settings): Required<Judgment> {
  const judgment = judgeProtection(what, seen, settings);
  return settings.refusesForeignIds ? configure(what, `${REMOVE_SETTING} ${judgment.advice}`) : judgment;
}

function judgeProtection(what: string, { executiveRead }: Seen, { hasExecutive }: Settings): Required<Judgment> {
  if (!hasExecutive) return configure(what, GIVE_EXECUTIVE);
  const isAccepted = executiveRead && isSuccess(executiveRead);
  return isAccepted ? safe(what, EXECUTIVE_PROTECTS) : configure(what, CORRECT_EXECUTIVE);
}

export function judgeForeignStatus(seen: Pick<Observations, 'foreignStatus'> & Seen, settings: Settings): Judgment {
  const { foreignStatus, token } = seen;
  const { reply } = foreignStatus;
  if (isSuccess(reply)) return judgeForeignAnswer(foreignStatus, (what) => judgeAnswered(what, seen, settings));
  if (!isRefusalOfId(reply)) return judgeOtherRefusal(reply);
  const isSettingNeeded = token?.names === 'no session' && !settings.refusesForeignIds;
  return asAssumed(`refused, ${reply.status}`, isSettingNeeded ? SET_SETTING : undefined);
}

/** The score says nothing about `INCODE_REFUSES_FOREIGN_IDS`, because only a read of the status proves a token. */
export function judgeForeignScore(seen: Pick<Observations, 'foreignScore'> & Seen, settings: Settings): Judgment {
  const { foreignScore, foreignStatus } = seen;
  const { reply } = foreignScore;
  if (!isSuccess(reply)) return isRefusalOfId(reply) ? asAssumed(`refused, ${reply.status}`) : judgeOtherRefusal(reply);
  return judgeForeignAnswer(foreignScore, (what) =>
    foreignStatus && !isSuccess(foreignStatus.reply) ? safe(what, READ_FINDS) : judgeProtection(what, seen, settings),
  );
}

function judgeForeignAnswer({ own, other, told }: ForeignRead, judge: (what: string) => Required<Judgment>): Judgment {
  if (own === other) return judge('answered, and both sessions have the same value');
  if (told !== other) return judge('answered for the session of the token');
  const what = 'answered for the other session';
  return unsafe(
    what,
    `Incode reveals one person's data to another person's token. Report it to Incode. ${judge(what).advice}`,
  );
}

/** For tokens whose claims name no session. */
export function judgeUnnamedToken(seen: Seen, settings: Settings): Judgment {
  const what = 'no such claim';
  const reply = seen.foreignStatus?.reply;
  if (!reply) return judgeProtection(what, seen, settings);
  if (isSuccess(reply)) return judgeAnswered(what, seen, settings);
  const isSettingNeeded = isRefusalOfId(reply) && !settings.refusesForeignIds;
  return safe(what, isSettingNeeded ? `${SET_SETTING} ${READ_FINDS}` : READ_FINDS);
}

/** Refusals that the package treats as a mismatch of id and token. */
export function isRefusalOfId({ kind }: Reply): boolean {
  return kind === 'tokenRefused' || kind === 'apiKeyRefused' || kind === 'unknownSession';
}

export function judgeOtherRefusal({ kind, status }: Reply): Judgment {
  const seen = `refused, ${status}`;
  if (kind === 'badRequest')
    return safe(seen, 'A session with another token fails with that status, and is not finished.');
  return configure(
    seen,
    'A session with another token is not finished. It waits as long as Incode answers like this: cancel it, and start it with its own token.',
  );
}
