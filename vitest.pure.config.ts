import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { CoverageOptions } from 'vitest/node';

// The files that decide, parse and check, with their unit tests. These tests need no Temporal server and take seconds. Everything else
// is tested with real servers. `vitest.config.ts` runs the tests; the configuration at the end is for mutation tests.

type Files = Record<string, string[]>;

/** Files whose results depend only on their inputs, a clock or a file. A branch that no unit test covers fails the run. */
const PURE: Files = {
  'src/activities': ['failure', 'finish-once', 'lease', 'recent-requests', 'sent-requests', 'standstill'],
  'src/activities/batch': [
    'attempt-progress',
    'circuit-breaker',
    'concurrency-limit',
    'rate-share',
    'request-count',
    'request-pacer',
    'shared-throttle',
    'stragglers',
  ],
  'src/activities/capture': ['failure', 'image-memory', 'images', 'open-session', 'processing'],
  'src/cli/batch': ['list-rows', 'rows'],
  'src/cli/capture': ['check', 'duration', 'manifest', 'pair'],
  'src/cli/shared': ['exit', 'plan-options'],
  'src/cli/verify': ['check', 'environment', 'reply'],
  'src/cli/verify/checks': ['finishing', 'foreign-ids', 'reading', 'refusing', 'starting', 'webhooks'],
  'src/client': ['errors', 'failures', 'input', 'temporal-failure'],
  'src/client/batch': ['seen-ids', 'shards', 'window'],
  'src/client/list': ['query'],
  'src/codec': ['encryption-codec', 'environment', 'failure-converter', 'keys'],
  'src/config': ['*'],
  'src/console': ['advice', 'format', 'pace', 'stream', 'timeline-layout', 'words'],
  'src/contract': ['*'],
  'src/images': ['inspect'],
  'src/incode': ['api-key', 'classification', 'errors', 'responses', 'retry-after'],
  'src/incode/capture': ['answers', 'base64-body', 'flat-answer', 'refusals'],
  'src/nexus': ['failures', 'input', 'operation-failure'],
  'src/secrets': ['*'],
  'src/temporal': ['address', 'cloud', 'environment'],
  'src/testing/simulator': ['clock'],
  'src/webhook': ['authentication', 'options', 'parse-delivery', 'results'],
  'src/workflows': ['decide', 'earlier-requests', 'failures', 'record'],
  'src/workflows/batch': ['claimed-sessions', 'possibly-sent', 'record'],
  'src/workflows/capture': ['decisions', 'opening'],
  'src/workflows/capture-batch': ['places'],
  'src/workflows/claims': ['hashes', 'messages', 'registry'],
};

/** Their unit tests. Property tests and tests with servers would cover some branches only by chance. */
const UNIT_TESTS: Files = {
  'test/activities': ['failure', 'finish-once', 'lease', 'recent-requests', 'standstill'],
  'test/activities/batch': [
    'circuit-breaker',
    'complete-many',
    'concurrency-limit',
    'rate-share',
    'request-count',
    'request-pacer',
    'shared-throttle',
    'stragglers',
  ],
  'test/activities/capture': ['image-memory', 'images', 'open-session', 'processing'],
  'test/cli/batch': ['rows'],
  'test/cli/capture': ['check', 'pair'],
  'test/cli/shared': ['exit', 'plan-options'],
  'test/cli/verify': ['checks'],
  'test/client': ['errors', 'failures', 'input', 'shards', 'window'],
  'test/client/list': ['query'],
  'test/codec': ['encryption-codec', 'environment', 'failure-converter'],
  'test/config': [
    'capture',
    'codec-server',
    'config',
    'deployment',
    'gateway',
    'reader',
    'task-queues',
    'unknown-variables',
    'webhook',
  ],
  'test/console': ['advice', 'format', 'pace', 'stream', 'timeline-layout'],
  'test/contract': [
    'backoff',
    'batch',
    'batch-size',
    'capture',
    'capture-batch',
    'capture-guards',
    'counted',
    'guards',
    'long-stages',
    'milestones',
    'names',
    'omit-undefined',
    'person-row',
    'token-claims',
  ],
  'test/images': ['inspect'],
  'test/incode': ['api-key', 'classification', 'client', 'errors', 'responses', 'retry-after'],
  'test/incode/capture': ['answers', 'client', 'flat-answer', 'refusals'],
  'test/nexus': ['failures', 'input'],
  'test/secrets': ['file', 'matcher', 'printing', 'redaction'],
  'test/temporal': ['address', 'cloud', 'environment'],
  'test/testing': ['simulator-clock'],
  'test/webhook': ['authentication', 'options', 'parse-delivery', 'results'],
  'test/workflows': ['decide', 'earlier-requests', 'failures', 'record'],
  'test/workflows/batch': ['claimed-sessions', 'possibly-sent', 'record'],
  'test/workflows/capture': ['decisions', 'opening'],
  'test/workflows/capture-batch': ['places'],
  'test/workflows/claims': ['hashes', 'messages', 'registry'],
};

export const UNIT_TEST_FILES = patternOf(UNIT_TESTS, '.test.ts');

export const COVERAGE: CoverageOptions = {
  provider: 'v8',
  include: [patternOf(PURE, '.ts')],
  reporter: ['text'],
  // Per file, so that a well-tested file does not compensate for another.
  thresholds: { perFile: true, 100: true },
};

export default defineConfig({
  test: {
    include: [UNIT_TEST_FILES],
    pool: 'forks',
    maxWorkers: 2,
    // A limit for tests that hang, as in vitest.config.ts.
    testTimeout: 60_000,
  },
});

/** One pattern for all files: Vitest's coverage compiles each pattern again for each loaded module, which took most of its time. */
function patternOf(files: Files, extension: string): string {
  const all = Object.entries(files).flatMap(([directory, names]) =>
    names.map((name) => `${directory}/${name}${extension}`),
  );
  // A pattern for a renamed file would match nothing and pass.
  const gone = all.filter((path) => !path.includes('*') && !existsSync(fileURLToPath(new URL(path, import.meta.url))));
  if (gone.length > 0) throw new Error(`vitest.pure.config.ts names files that are not there: ${gone.join(', ')}`);
  return `{${all.join(',')}}`;
}
