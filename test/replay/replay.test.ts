import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { fetchHistory } from '../support/history.js';
import { startTestWorld, type TestWorld, WORKFLOW_BUNDLE } from '../support/world.js';
import { ANSWER_SCENARIOS } from './answer-scenarios.js';
import { BATCH_SCENARIOS } from './batch-scenarios.js';
import { CAPTURE_BATCH_SCENARIOS } from './capture-batch-scenarios.js';
import { CAPTURE_SCENARIOS } from './capture-scenarios.js';
import { SCENARIOS } from './scenarios.js';

const DIRECTORY = new URL('./histories/', import.meta.url);

const RECORDINGS: typeof BATCH_SCENARIOS = {
  ...Object.fromEntries(Object.entries(SCENARIOS).map(([name, play]) => [name, () => recorded(play)])),
  ...BATCH_SCENARIOS,
  ...ANSWER_SCENARIOS,
  ...CAPTURE_SCENARIOS,
  ...CAPTURE_BATCH_SCENARIOS,
};

// `RECORD_HISTORIES=true npx vitest run test/replay` records the scenarios without a file. Delete a file only after an intended change
// that no open workflow can meet.
if (process.env.RECORD_HISTORIES) {
  describe('recording', async () => {
    const existing = await readdir(DIRECTORY).catch((): string[] => []);
    const missing = Object.entries(RECORDINGS).filter(([name]) => !existing.includes(`${name}.json`));
    it.each(missing)('writes %s', async (name, record) => {
      const history = historyToJSON(await record());
      await mkdir(DIRECTORY, { recursive: true });
      await writeFile(new URL(`${name}.json`, DIRECTORY), `${anonymous(history)}\n`);
    });
  });
} else {
  describe('the current workflow code', async () => {
    const files = (await readdir(DIRECTORY)).map((file) => file.replace('.json', ''));

    it('has a recorded history for every scenario', () => {
      expect(files.sort()).toEqual(Object.keys(RECORDINGS).sort());
    });

    // One worker replays all of them, because each worker loads the code again.
    const errors = new Map<string, Error | undefined>();
    beforeAll(async () => {
      const options = { workflowBundle: WORKFLOW_BUNDLE, debugMode: true };
      for await (const { workflowId, error } of Worker.runReplayHistories(options, histories(files)))
        errors.set(workflowId, error);
    });

    it.each(files)('replays the recorded history "%s"', (name) => {
      expect([...errors.keys()]).toContain(name);
      expect(errors.get(name)).toBeUndefined();
    });

    describe('with other commands', async () => {
      const changed = await bundleWorkflowCode({
        workflowsPath: new URL('./changed-workflow.ts', import.meta.url).pathname,
        logger: new DefaultLogger('ERROR'),
      });

      it.each(['approved', 'batch-with-a-retry', 'capture-batch'])('fails to replay "%s"', async (name) => {
        const history = await readHistory(name);
        await expect(Worker.runReplayHistory({ workflowBundle: changed }, history)).rejects.toThrow(
          DeterminismViolationError,
        );
      });
    });
  });
}

async function recorded(play: (world: TestWorld) => Promise<string>) {
  await using world = await startTestWorld();
  return await fetchHistory(world.temporal, await play(world));
}

/** Removes the names and paths of this machine. */
function anonymous(history: string): string {
  const hide = (key: string, value: unknown) => (key === 'identity' || key === 'stackTrace' ? '' : value);
  const { events, ...rest } = JSON.parse(history, hide);
  // One event per line, so that diffs are readable.
  const lines = events.map((event: unknown) => JSON.stringify(event)).join(',\n');
  return `${JSON.stringify(rest).slice(0, -1)}${Object.keys(rest).length > 0 ? ',' : ''}"events":[\n${lines}\n]}`;
}

async function* histories(names: string[]) {
  for (const name of names) yield { workflowId: name, history: await readHistory(name) };
}

async function readHistory(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`${name}.json`, DIRECTORY), 'utf8'));
}
