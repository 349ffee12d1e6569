// Compiles src to dist, bundles the workflows, so that workers start without webpack, and bundles the console for browsers.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
/** With `AbortSignal.any` and `:has()`, which the console uses. */
const CONSOLE_BROWSERS = ['chrome116', 'firefox124', 'safari17.4'];
const SOURCE_MAP = '\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,';

// Builds into a new directory and then swaps it with dist. A failed build keeps the last good one, and programs that run from dist never
// see a partial build.
const fresh = mkdtempSync(join(root, '.dist-'));
try {
  if (compile() && checkConsole()) {
    chmodSync(join(fresh, 'cli', 'main.js'), 0o755);
    await bundleConsole();
    // Two bundles, because the failure converter is part of the bundle. One is for workers with encryption keys.
    await bundle('workflow-bundle-encrypting.js', join(fresh, 'codec', 'failure-converter.js'));
    await bundle('workflow-bundle.js');
    chmodSync(fresh, 0o755);
    swap();
  } else {
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

function compile() {
  const args = [tsc, '-p', join(root, 'tsconfig.json'), '--outDir', fresh, '--noEmitOnError'];
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0;
}

/** The console runs in browsers, so it has its own types. */
function checkConsole() {
  const args = [tsc, '-p', join(root, 'src', 'console', 'tsconfig.json')];
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0;
}

/** Everything that a browser loads from the gateway. */
async function bundleConsole() {
  const [from, to] = [join(root, 'src', 'console'), join(fresh, 'console')];
  await esbuild({
    entryPoints: [join(from, 'main.ts'), join(from, 'main.css')],
    outdir: to,
    bundle: true,
    minify: true,
    format: 'esm',
    target: CONSOLE_BROWSERS,
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'icon.svg']) copyFileSync(join(from, file), join(to, file));
  // Its license requires that copies contain it.
  copyFileSync(join(root, 'node_modules', 'uplot', 'LICENSE'), join(to, 'uplot-license.txt'));
}

async function bundle(file, failureConverterPath) {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const workflowsPath = join(fresh, 'workflows', 'index.js');
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath: join(fresh, 'workflows', 'payload-converter.js'),
    failureConverterPath,
    // One instance of our modules for all workflows instead of one each: a cached workflow takes 83 KB of JavaScript heap, not
    // 130. They keep no state, and the SDK freezes them.
    preloadModules: [workflowsPath],
    // Otherwise webpack drops the preloading, because package.json says that our modules have no side effects.
    webpackConfigHook: (config) => ({ ...config, optimization: { ...config.optimization, sideEffects: false } }),
    logger: new DefaultLogger('WARN'),
  });
  writeFileSync(join(fresh, file), withoutMachinePaths(code, file));
}

/**
 * Makes the bundle independent of the machine. A worker's build id is its hash, and stack traces, which are stored in histories, come
 * from its source map.
 */
function withoutMachinePaths(code, file) {
  const [modules, map] = code.split(SOURCE_MAP);
  const text = Buffer.from(map, 'base64').toString().replaceAll(root, '');
  // Stack traces need positions, not the source text, which would be half of the bundle.
  const { sourcesContent: _, ...sourceMap } = { ...JSON.parse(named(text)), file };
  return named(modules) + SOURCE_MAP + Buffer.from(JSON.stringify(sourceMap)).toString('base64');
}

function named(text) {
  return text.replaceAll(`${basename(fresh)}/`, 'dist/');
}

function swap() {
  const old = `${fresh}-old`;
  for (;;) {
    try {
      if (existsSync(dist)) renameSync(dist, old);
      renameSync(fresh, dist);
      return;
    } catch (error) {
      // Another build moved the old directory away first, or put its own there in between.
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}
