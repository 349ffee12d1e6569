import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readdir, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startTestWorld, type TestWorld } from '../support/world.js';
import { installedProject, type Project } from './installed.js';

const run = promisify(execFile);

/** The sum of file sizes, which does not depend on the disk. On most disks the files take a fifth more. */
const LIMIT_MB = 45;

const OPTIONAL = ['activity', 'core-bridge', 'nexus', 'testing', 'worker', 'workflow'];

let project: Project;
let world: TestWorld;
beforeAll(async () => {
  [project, world] = await Promise.all([installedProject(), startTestWorld()]);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await project?.[Symbol.asyncDispose]();
});

const inProject = (...path: string[]) => join(project.directory, ...path);
const environment = () => ({
  ...process.env,
  TEMPORAL_ADDRESS: inject('temporalAddress'),
  TEMPORAL_NAMESPACE: inject('temporalNamespace'),
});

describe('an installation for clients', () => {
  it('contains no package that only workers need', async () => {
    const sdk = await readdir(inProject('node_modules', '@temporalio'));
    expect(sdk).toContain('client');
    expect(sdk.filter((name) => OPTIONAL.includes(name))).toEqual([]);
    const all = await readdir(inProject('node_modules'));
    expect(all.filter((name) => /^(webpack|fastify|pino|rxjs)$|^@swc$/.test(name))).toEqual([]);
  });

  it(`has at most ${LIMIT_MB} MB`, async () => {
    const entries = await readdir(inProject('node_modules'), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    let [bytes, onDisk] = [0, 0];
    for (const file of files) {
      const { size, blocks } = await stat(file);
      bytes += size;
      onDisk += blocks * 512;
    }
    console.log(`Light install: ${mb(bytes)} MB in ${files.length} files, ${mb(onDisk)} MB on this disk`);
    expect(bytes / 1e6).toBeLessThan(LIMIT_MB);
  });

  it('type-checks a caller with all declarations of libraries, and completes a session', async () => {
    await copyFile(fileURLToPath(new URL('caller/caller.ts', import.meta.url)), inProject('caller.ts'));
    const options = { module: 'nodenext', target: 'es2023', strict: true, types: ['node'], skipLibCheck: false };
    await writeFile(inProject('tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['caller.ts'] }));
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
    const compiled = await run(process.execPath, [tsc, '-p', project.directory]).catch((error) => error);
    expect(compiled.stdout).toBe('');

    const { interviewId, token } = await world.simulator.openSession();
    const env = { ...environment(), INTERVIEW_ID: interviewId, SESSION_TOKEN: token, TASK_QUEUE: world.taskQueue };
    const { stdout } = await run(process.execPath, ['caller.js'], { cwd: project.directory, env });
    expect(JSON.parse(stdout)).toMatchObject({ answer: { action: 'approved' }, outcome: 'approved' });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('loads only packages of the client with temporal-incode/client', async () => {
    const [ours, sdk] = [await loadedBy('temporal-incode/client'), await loadedBy('@temporalio/client')];
    console.log(`Loading temporal-incode/client took ${ours.ms} ms, @temporalio/client alone ${sdk.ms} ms`);
    const more = [...ours.packages].filter((name) => !sdk.packages.has(name));
    expect(more.sort()).toEqual(['@temporalio/envconfig', 'jose', 'smol-toml', 'temporal-incode']);
  });
});

describe('the CLI in an installation for clients', () => {
  it('completes a session and prints its status', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const target = ['--interview-id', interviewId, '--task-queue', world.taskQueue, '--json'];
    const completed = await cli(['complete', ...target, '--session-token-file', '-'], token);
    expect(completed).toMatchObject({ code: 0, stderr: expect.not.stringContaining('Error') });
    expect(JSON.parse(completed.stdout)).toMatchObject({ outcome: 'approved' });
    const status = await cli(['status', ...target]);
    expect(JSON.parse(status.stdout)).toMatchObject({ status: 'completed' });
  });

  it('checks a list with batch --dry-run, and looks for a batch with --status', async () => {
    await writeFile(inProject('sessions.csv'), 'interviewId\na\nb\n');
    expect(await cli(['batch', 'sessions.csv', '--dry-run'])).toMatchObject({ code: 0 });
    const status = await cli(['batch', '--status', '--batch-id', 'not-there']);
    expect(status).toMatchObject({ code: 4, stderr: expect.stringContaining('not-there') });
  });

  it.each([
    ['worker', '@temporalio/worker@1.24.0 @temporalio/activity@1.24.0 @temporalio/nexus@1.24.0 pino@^10.4.0'],
    [
      'dev',
      '@temporalio/worker@1.24.0 @temporalio/activity@1.24.0 @temporalio/nexus@1.24.0 pino@^10.4.0 fastify@^5.12.8 @fastify/rate-limit@^11.2.0',
    ],
    [
      'demo',
      '@temporalio/worker@1.24.0 @temporalio/activity@1.24.0 @temporalio/nexus@1.24.0 pino@^10.4.0 fastify@^5.12.8 @fastify/rate-limit@^11.2.0',
    ],
    ['webhooks', 'fastify@^5.12.8 pino@^10.4.0'],
    ['codec-server', 'fastify@^5.12.8 @fastify/cors@^11.4.3'],
  ])('names the packages to install for %s, and prints its help without them', async (command, packages) => {
    const { code, stdout, stderr } = await cli([command]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^temporal-incode ${command} needs .* and .*, which are optional packages`));
    expect(stderr.trimEnd().split('\n').at(-1)?.trim()).toBe(`npm install ${packages}`);
    expect(await cli([command, '--help'])).toMatchObject({ code: 0, stderr: '' });
  });
});

const main = () => inProject('node_modules', 'temporal-incode', 'dist', 'cli', 'main.js');

async function cli(args: string[], stdin = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main(), ...args], { cwd: project.directory, env: environment() });
  child.stdin.end(stdin);
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** Lists the loaded files of a new process: ES modules by a hook, CommonJS modules from its cache. */
const LIST = `
import { createRequire, register } from 'node:module';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';

const { port1, port2 } = new MessageChannel();
const hooks = \`let port; export function initialize(data) { port = data; }
export function load(url, context, next) { port.postMessage(url); return next(url, context); }\`;
register('data:text/javascript,' + encodeURIComponent(hooks), { data: port2, transferList: [port2] });
const startedAt = performance.now();
await import(process.argv[2]);
const ms = Math.round(performance.now() - startedAt);
const files = Object.keys(createRequire(import.meta.url).cache);
for (let got = receiveMessageOnPort(port1); got; got = receiveMessageOnPort(port1)) files.push(got.message);
console.log(JSON.stringify({ ms, files }));
process.exit();
`;

async function loadedBy(entry: string): Promise<{ ms: number; packages: Set<string> }> {
  await writeFile(inProject('list.js'), LIST);
  const { stdout } = await run(process.execPath, ['list.js', entry], { cwd: project.directory });
  const { ms, files } = JSON.parse(stdout) as { ms: number; files: string[] };
  const names = files.map((file) => /.*node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(file)?.[1]);
  return { ms, packages: new Set(names.filter((name) => name !== undefined)) };
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
