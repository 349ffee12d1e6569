import { expect, it } from 'vitest';
import { unknownVariables, warnOfUnknownVariables, withUnknownVariables } from '../../src/config/unknown-variables.js';

it('unknownVariables names variables with our prefixes that no configuration reads', () => {
  const env = { INCODE_BASEURL: 'x', WORKER_TASKQUEUE: 'x', WEBHOOK_SECRETS: 'x', OTHER: 'x', INCODE_BASE_URL: 'x' };
  expect(unknownVariables(env)).toEqual(['INCODE_BASEURL', 'WEBHOOK_SECRETS', 'WORKER_TASKQUEUE']);
});

it('unknownVariables accepts the variables of workers and receivers in one environment', () => {
  const env = { INCODE_API_KEY_FILE: 'x', WORKER_BUILD_ID: 'x', WEBHOOK_HEADER_SECRETS_FILE: 'x', WEBHOOK_PORT: 'x' };
  expect(unknownVariables(env)).toEqual([]);
});

it('unknownVariables accepts the variables of people from images', () => {
  const env = { INCODE_IMAGE_ROOTS: '/images', INCODE_DOCUMENT_RATE_LIMIT: '1', INCODE_FACE_RATE_LIMIT: '1' };
  expect(unknownVariables({ ...env, INCODE_FACES_RATE_LIMIT: '1' })).toEqual(['INCODE_FACES_RATE_LIMIT']);
});

it('unknownVariables ignores the variables that Kubernetes adds for a Service named like our prefixes', () => {
  const env = {
    WEBHOOK_SERVICE_HOST: 'x',
    WEBHOOK_PORT_8088_TCP_ADDR: 'x',
    WORKER_SERVICE_PORT_HTTP: 'x',
    WORKER_PORT: 'x',
  };
  expect(unknownVariables(env)).toEqual([]);
});

it('warnOfUnknownVariables warns once, with every name and without values', () => {
  const warnings: string[] = [];
  warnOfUnknownVariables((message) => warnings.push(message), { INCODE_BASEURL: 'secret', WORKER_X: 'y' });
  expect(warnings).toEqual(['Unknown variables are ignored: INCODE_BASEURL, WORKER_X. Check the spelling']);
  warnOfUnknownVariables((message) => warnings.push(message), { INCODE_API_KEY: 'x' });
  expect(warnings).toHaveLength(1);
});

it('withUnknownVariables adds the unknown names to the problems of a configuration', () => {
  const problems = 'INCODE_BASE_URL is required';
  expect(withUnknownVariables(problems, { INCODE_BASE_URLL: 'secret' })).toBe(
    'INCODE_BASE_URL is required\nUnknown variables are ignored: INCODE_BASE_URLL. Check the spelling',
  );
  expect(withUnknownVariables(problems, {})).toBe(problems);
});
