// Installs in the current folder what the container image needs to run, next to copies of package.json and package-lock.json. The
// Dockerfile runs it. It imports nothing, because the Dockerfile copies only this file.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// The image runs every command, so it needs the optional packages too.
const { dependencies, peerDependencies, devDependencies, peerDependenciesMeta, scripts, files, ...rest } = JSON.parse(
  readFileSync('package.json', 'utf8'),
);
const manifest = { ...rest, dependencies: { ...dependencies, ...peerDependencies } };
writeFileSync('package.json', `${JSON.stringify(manifest, null, 2)}\n`);

const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
// The lockfile knows every version already, so this asks no registry. It only records which packages are for production now.
npm(['install', '--package-lock-only', '--offline', ...QUIET]);
npm(['ci', '--omit=dev', '--prefer-offline', ...QUIET]);

const bridge = join('node_modules', '@temporalio', 'core-bridge');
const target = `${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch]}-unknown-linux-gnu`;
const releases = readdirSync(join(bridge, 'releases'));
if (!releases.includes(target)) throw new Error(`Temporal's SDK has no binary for ${target}, only for ${releases}`);
for (const release of releases) if (release !== target) remove(bridge, 'releases', release);
// Rust sources of the binary.
for (const source of ['sdk-core', 'src', 'bridge-macros', 'Cargo.lock']) remove(bridge, source);
for (const path of readdirSync('node_modules', { recursive: true })) {
  // For editors and debuggers.
  if (/\.(d\.[cm]?ts|map)$/.test(path)) remove('node_modules', path);
}

writeFileSync('sbom.cdx.json', npm(['sbom', '--omit=dev', '--sbom-format=cyclonedx', '--sbom-type=application']));

function remove(...path) {
  rmSync(join(...path), { recursive: true });
}

/** @returns what npm printed */
function npm(args) {
  const { status, stdout } = spawnSync('npm', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed\n${stdout}`);
  return stdout;
}
