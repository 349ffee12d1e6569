import { expect, it } from 'vitest';
import { webUiLink } from '../../../src/cli/shared/web-ui.js';

const workflow = { namespace: 'team a', workflowId: 'incode-onboarding/5f3a' };
const path = 'namespaces/team%20a/workflows/incode-onboarding%2F5f3a';

it.each([
  [
    'the configured Web UI',
    'temporal.internal:7233',
    { TEMPORAL_INCODE_UI_URL: 'https://ui.internal/' },
    'https://ui.internal',
  ],
  ['Temporal Cloud by namespace', 'team-a.abc12.tmprl.cloud:7233', {}, 'https://cloud.temporal.io'],
  ['Temporal Cloud by region', 'us-east-1.aws.api.temporal.io:7233', {}, 'https://cloud.temporal.io'],
  ['a local dev server', 'localhost:7233', {}, 'http://localhost:8233'],
])('links to %s', (_, address, env, base) => {
  expect(webUiLink({ ...workflow, address }, env)).toBe(`${base}/${path}`);
});

it.each(['temporal.internal:7233', 'localhost:9999'])('returns no link for %s', (address) => {
  expect(webUiLink({ ...workflow, address }, {})).toBeUndefined();
});
