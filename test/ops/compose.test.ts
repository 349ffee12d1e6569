import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { SERVER_VERSION } from '../../scripts/cluster/binaries.js';
import { composeConfig } from '../../scripts/tools.js';
import { askedCommand } from '../../src/cli/registry.js';
import { parseGatewayTokens } from '../../src/config/gateway-tokens.js';
import { readConfig } from '../../src/config/index.js';
import { sha256 } from '../../src/gateway/new-token.js';

const OPS = fileURLToPath(new URL('../../ops', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Service {
  image: string;
  command?: string[];
  build?: { context: string; dockerfile: string };
  environment?: Record<string, string>;
  ports?: { host_ip?: string }[];
  deploy?: { replicas: number };
  network_mode?: string;
  read_only?: boolean;
  cap_drop?: string[];
  stop_grace_period?: string;
  configs?: { source: string; target: string }[];
  tmpfs?: string[];
}

interface Project {
  services: Record<string, Service>;
  configs: Record<string, { content: string }>;
}

/** The file as the library of `docker compose` reads it. The file's folder is that of the project. It refuses what its schema does not know, and references to nothing. */
async function project(...options: string[]): Promise<Project> {
  const args = ['-format', 'json', ...options, 'compose.yml'];
  const { stdout } = await promisify(execFile)(await composeConfig(), args, { env: {}, cwd: OPS });
  return JSON.parse(stdout);
}
const { services: all, configs } = await project();

it('the images of Temporal have the version that `npm run cluster` builds, with two history nodes of 512 shards', () => {
  const images = Object.values(all).map(({ image }) => image);
  const temporal = images.filter((image) => /^temporalio\/(server|admin-tools):/.test(image));
  expect(temporal.length).toBeGreaterThan(5);
  for (const image of temporal) expect(image.split(':')[1]).toBe(SERVER_VERSION.slice(1));
  for (const image of images) expect(image).toMatch(/:[\w.-]+$/);
  expect(all['temporal-history']).toMatchObject({
    deploy: { replicas: 2 },
    environment: { NUM_HISTORY_SHARDS: '512' },
  });
});

it('each role of the Temporal server has its own container', () => {
  const roles = Object.values(all).map(({ environment }) => environment?.TEMPORAL_SERVICES);
  expect(roles.filter(Boolean).sort()).toEqual(['frontend', 'history', 'matching', 'worker']);
});

it('ports are open on this machine only', () => {
  const ports = Object.values(all).flatMap((service) => service.ports ?? []);
  expect(ports.map(({ host_ip }) => host_ip)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
});

it('the services of this package run its commands from the image of the Dockerfile, without rights', () => {
  const own = Object.entries(all).filter(([, { image }]) => image.startsWith('temporal-incode:'));
  expect(own.map(([name]) => name).sort()).toEqual(['cli', 'gateway', 'setup', 'simulator', 'worker']);
  for (const [, service] of own) {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(`${service.build?.context}/${service.build?.dockerfile}`).toBe(`${ROOT.replace(/\/$/, '')}/Dockerfile`);
    if (service.command) expect(askedCommand(service.command)).toBe(service.command[0]);
  }
});

it('the worker is configured for the simulator, and for Incode if its variables are set', async () => {
  const { environment = {}, network_mode, stop_grace_period } = all.worker ?? {};
  expect(network_mode).toBe('service:simulator');
  const config = readConfig(environment);
  expect(config.baseUrl).toBe('http://127.0.0.1:4010');
  expect(config.apiKey()).toBe(all.simulator?.command?.at(-1));
  expect([stop_grace_period, config.shutdownGraceMs]).toEqual(['60s', 45_000]);
  const { worker } = (await project('-no-interpolation')).services;
  for (const name of ['INCODE_BASE_URL', 'INCODE_API_KEY', 'INCODE_CONFIGURATION_ID']) {
    expect(worker?.environment?.[name]).toBe(`\${${name}:-${environment[name]}}`);
  }
});

it('the gateway has the token that the comment names, and a folder for lists', () => {
  const { environment = {}, configs: mounted = [], tmpfs } = all.gateway ?? {};
  const [config] = mounted.filter(({ target }) => target === environment.GATEWAY_TOKENS_FILE);
  const tokens = parseGatewayTokens(configs[config?.source ?? '']?.content ?? '');
  const [, named = ''] = /The gateway's token is (tig_\w+)/.exec(readFileSync(`${OPS}/compose.yml`, 'utf8')) ?? [];
  expect(tokens).toEqual([{ name: 'compose', scopes: ['read', 'start', 'operate'], sha256: sha256(named) }]);
  expect(environment).toMatchObject({ GATEWAY_HOST: '0.0.0.0', GATEWAY_ALLOW_PLAINTEXT: 'true' });
  expect(tmpfs).toEqual(['/tmp']);
});
