import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { onboardingWorkflowId } from '../../src/contract/index.js';
import { defaultCacheDir, findTemporalBinary } from '../../src/testing/server/binary.js';
import { codeBlocks, section } from './markdown.js';

/** The commands of each code block under a heading of a page. */
export async function commandsOf(page: string, heading: string): Promise<string[][]> {
  const text = await readFile(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8');
  return codeBlocks(section(text, heading), 'sh').map((block) => block.trim().split('\n'));
}

/**
 * Runs commands of the temporal CLI exactly as written. Repeats one that the server refuses because it still works on many workflows, as
 * docs/deploys.md says.
 *
 * @returns their output
 */
export async function runCommands(commands: string[], address: string): Promise<string> {
  const options = { env: process.env, cacheDir: defaultCacheDir(process.env), onProgress: () => undefined };
  const { path } = await findTemporalBinary(options);
  const env = { ...process.env, PATH: `${dirname(path)}${delimiter}${process.env.PATH}`, TEMPORAL_ADDRESS: address };
  let output = '';
  for (const command of commands) {
    if (!command.startsWith('temporal ')) throw new Error(`Not a command of the temporal CLI: ${command}`);
    output += await runOne(command, env);
  }
  return output;
}

async function runOne(command: string, env: NodeJS.ProcessEnv): Promise<string> {
  for (;;) {
    try {
      return (await promisify(execFile)('sh', ['-c', command], { env })).stdout;
    } catch (error) {
      if (!(error as { stderr: string }).stderr.includes('Max concurrent batch operations')) throw error;
      await sleep(200);
    }
  }
}

/** The build ids of the workers that ran a workflow, oldest first. A run that stays on its build adds none: when a run ends depends on load. */
export async function buildsOf(client: Client, workflowId: string): Promise<(string | undefined)[]> {
  const builds: (string | undefined)[] = [];
  let runId: string | undefined;
  for (;;) {
    const handle = client.workflow.getHandle(workflowId, runId);
    const { raw, runId: found } = await handle.describe();
    const { versioningInfo } = raw.workflowExecutionInfo ?? {};
    const buildId = versioningInfo?.deploymentVersion?.buildId ?? undefined;
    if (builds.length === 0 || builds[0] !== buildId) builds.unshift(buildId);
    const { events } = await client.workflow.getHandle(workflowId, found).fetchHistory();
    const before = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    if (!before) return builds;
    runId = before;
  }
}

export function sessionBuildsOf(client: Client, interviewId: string): Promise<(string | undefined)[]> {
  return buildsOf(client, onboardingWorkflowId(interviewId));
}
