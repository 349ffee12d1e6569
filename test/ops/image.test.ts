import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/index.js';
import { environmentOf, play, readDockerfile, type Stage, textsOf } from '../support/dockerfile.js';
import { API_KEY, workerEnvironment } from '../support/world.js';

// No container runs here. The steps of the Dockerfile run in a folder, and the programs run from there as the image's user.

/** Together with the base image, of which Node is 127 MB and the rest about 30 MB, below 300 MB. */
const LIMIT_MB = 115;

let directory: string;
let image: Stage;
let simulator: IncodeSimulator;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-image-'));
  // The image's user has to reach it.
  await chmod(directory, 0o755);
  const stages = await readDockerfile();
  const at = (name: string | undefined) => join(directory, name ?? 'image');
  const roots = Object.fromEntries(stages.map(({ name }) => [name ?? 'image', at(name)]));
  for (const stage of stages) {
    // The checkout is already built by the same command, which takes a minute.
    if (stage.name === 'build') await cp(DIST, join(at('build'), 'opt/temporal-incode/dist'), { recursive: true });
    else await play(stage, at(stage.name), roots);
  }
  image = stages.at(-1) as Stage;
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
});
afterAll(async () => {
  await simulator?.close();
  await rm(directory, { recursive: true, force: true });
});

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const inImage = (...path: string[]) => join(directory, 'image', 'opt/temporal-incode', ...path);

it(`the files that the image adds to its base have at most ${LIMIT_MB} MB, and contain one binary of Temporal's SDK`, async () => {
  const entries = await readdir(inImage(), { recursive: true, withFileTypes: true });
  let bytes = 0;
  for (const entry of entries) if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  console.log(`Image: ${(bytes / 1e6).toFixed(1)} MB in ${entries.length} files and folders, without the base image`);
  expect(bytes / 1e6).toBeLessThan(LIMIT_MB);
  expect(await readdir(inImage('node_modules/@temporalio/core-bridge/releases'))).toHaveLength(1);
});

it('the image contains the packages that a production installation has, and their versions in an SBOM', async () => {
  const manifest = JSON.parse(await readFile(inImage('package.json'), 'utf8'));
  const sbom = JSON.parse(await readFile(inImage('sbom.cdx.json'), 'utf8'));
  expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'temporal-incode' } } });
  const { packages } = JSON.parse(await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8'));
  const listed = new Map(
    sbom.components.map(({ purl, version }: { purl: string; version: string }) => [purl, version]),
  );
  for (const name of Object.keys(manifest.dependencies)) {
    const { version } = packages[`node_modules/${name}`];
    expect(listed.get(`pkg:npm/${name.replace('@', '%40')}@${version}`)).toBe(version);
  }
  for (const tool of ['vitest', 'typescript', '@biomejs/biome']) {
    await expect(stat(inImage('node_modules', tool))).rejects.toThrow('ENOENT');
  }
});

it.each([
  [['--version'], /^\d+\.\d+\.\d+\n$/],
  [['worker', '--help'], /Usage: temporal-incode worker/],
  [['webhooks', '--help'], /Usage: temporal-incode webhooks/],
  [['codec-server', '--help'], /Usage: temporal-incode codec-server/],
  [['gateway', '--help'], /Usage: temporal-incode gateway/],
])('the image runs %j', async (args, output) => {
  const { ended, stdout } = start(args);
  expect(await ended).toEqual([0, null]);
  expect(stdout()).toMatch(output);
});

it('a worker of the image completes a session without writing to its files, and stops at SIGTERM', async () => {
  const taskQueue = `image-${Date.now()}`;
  const before = await filesOf(inImage());
  const worker = start(['worker'], {
    ...workerEnvironment(simulator.url, taskQueue),
    WORKER_METRICS_ADDRESS: '127.0.0.1:0',
  });
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({ connection, namespace: inject('temporalNamespace') });
  const onboarding = new OnboardingClient({ client, taskQueue });
  const { interviewId, token } = await simulator.openSession();
  try {
    await onboarding.start({ interviewId, sessionToken: token });
    expect(await onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
    expect(worker.stderr()).toContain('Serving metrics and health');
  } finally {
    worker.child.kill('SIGTERM');
    await connection.close();
    expect(await worker.ended).toEqual([0, null]);
  }
  expect(await filesOf(inImage())).toEqual(before);
});

it('a gateway of the image serves its description and the console', async () => {
  const gateway = start(['gateway', '--json'], {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: inject('temporalNamespace'),
    TEMPORAL_INCODE_ALLOW_PLAINTEXT: 'true',
    GATEWAY_PORT: '0',
  });
  try {
    await expect.poll(gateway.stdout).toContain('\n');
    const { url } = JSON.parse(gateway.stdout());
    const description = await fetch(`${url}/v1/openapi.json`);
    expect([description.status, await description.json()]).toEqual([
      200,
      expect.objectContaining({ openapi: '3.1.0' }),
    ]);
    expect((await fetch(url)).headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect((await fetch(`${url}/console/main.js`)).status).toBe(200);
  } finally {
    gateway.child.kill('SIGTERM');
    expect(await gateway.ended).toEqual([0, null]);
  }
});

interface Running {
  child: ChildProcess;
  ended: Promise<unknown[]>;
  stdout(): string;
  stderr(): string;
}

/** Runs the entry point with this machine's Node. As root, it runs as the image's user, who owns none of the files. */
function start(args: string[], env: Record<string, string> = {}): Running {
  const [entry = ''] = textsOf(image, 'ENTRYPOINT').map((text) => JSON.parse(text)[1]);
  const [uid, gid] = textsOf(image, 'USER').flatMap((text) => text.split(':').map(Number));
  const user = process.getuid?.() === 0 ? { uid, gid } : {};
  const child = spawn(process.execPath, [join(directory, 'image', entry), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // No HOME and no other variable of this machine.
    env: { ...environmentOf(image), ...env },
    cwd: inImage(),
    ...(user as { uid?: number; gid?: number }),
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return { child, ended: once(child, 'close'), stdout: () => stdout, stderr: () => stderr };
}

const filesOf = async (path: string) => (await readdir(path, { recursive: true })).sort();
