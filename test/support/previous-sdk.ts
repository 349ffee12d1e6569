import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Large, and only for images in S3. */
const UNUSED = '@aws-sdk/client-s3';
const run = promisify(execFile);

export interface PreviousSdk {
  /** @returns stops the worker with SIGTERM */
  startWorker(env: Record<string, string>, logFile: string): Promise<() => Promise<void>>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** This package, as it is built, with another version of Temporal's SDK from the registry. Its workflow bundle is made by that version. */
export async function installPreviousSdk(version: string): Promise<PreviousSdk> {
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-previous-sdk-'));
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const dependencies = Object.fromEntries(
    Object.entries<string>({ ...manifest.dependencies, ...manifest.peerDependencies })
      .filter(([name]) => name !== UNUSED)
      .map(([name, range]) => [name, name.startsWith('@temporalio/') ? version : range]),
  );
  await writeFile(join(directory, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  await npmInstall(directory);
  await cp(join(ROOT, 'dist'), join(directory, 'dist'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(directory, 'package.json'));
  await writeFile(join(directory, 'bundle.js'), BUNDLE);
  await run(process.execPath, ['bundle.js'], { cwd: directory });
  return {
    startWorker: (env, logFile) => startWorker(join(directory, 'dist', 'cli', 'main.js'), env, logFile),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

async function npmInstall(cwd: string): Promise<void> {
  // Removes the settings of the npm that runs these tests, and keeps the machine's own.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(cache|registry|userconfig)$)/i.test(name)),
  );
  await run('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    env,
    shell: process.platform === 'win32',
  });
}

/** As `scripts/build.js` bundles. */
const BUNDLE = `
import { writeFileSync } from 'node:fs';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
const dist = new URL('./dist/', import.meta.url).pathname;
const workflowsPath = dist + 'workflows/index.js';
const { code } = await bundleWorkflowCode({
  workflowsPath,
  payloadConverterPath: dist + 'workflows/payload-converter.js',
  preloadModules: [workflowsPath],
  webpackConfigHook: (config) => ({ ...config, optimization: { ...config.optimization, sideEffects: false } }),
  logger: new DefaultLogger('WARN'),
});
writeFileSync(dist + 'workflow-bundle.js', code);
`;

async function startWorker(main: string, env: Record<string, string>, logFile: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [main, 'worker'], { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const exited = once(child, 'exit');
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (chunk) => {
      appendFileSync(logFile, chunk);
      log += chunk;
      if (log.includes('"Worker ready"')) resolve();
    });
    exited.then(([code]) => reject(new Error(`The worker on the previous SDK ended with ${code}:\n${log}`)));
  });
  return async () => {
    child.kill('SIGTERM');
    await exited;
  };
}
