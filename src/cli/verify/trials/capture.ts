import { printNotice } from '../../shared/output.js';
import type { OwnSession } from '../own-sessions.js';
import { isSuccess } from '../reply.js';
import { blankPicture } from './blank-picture.js';
import { attempt, type Trial } from './trial.js';

/** Uploads blank pictures and calls process/id twice. */
export async function tryProcessId(trial: Trial, session: OwnSession): Promise<void> {
  const { probe, seen, whyNot, signal } = trial;
  printNotice('Uploading a blank picture as front and back of an ID');
  await attempt(trial, ['processId'], async () => {
    const post = (path: string, body: unknown) =>
      probe.ask({ method: 'POST', path, token: session.token, body, signal });
    for (const side of ['front', 'back']) {
      const { status, kind } = await post(`/omni/add/${side}-id/v2`, { base64Image: blankPicture() });
      if (kind !== undefined) {
        whyNot.processId = `the picture was refused, ${status}`;
        return;
      }
    }
    const first = await post('/omni/process/id', {});
    seen.processId = { first, second: isSuccess(first) ? await post('/omni/process/id', {}) : first };
  });
}
