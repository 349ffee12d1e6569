/** Files that the build creates from other files than their namesakes in src. */
const BUNDLES = [
  'dist/workflow-bundle.js',
  'dist/workflow-bundle-encrypting.js',
  'dist/console/index.html',
  'dist/console/main.js',
  'dist/console/main.css',
  'dist/console/icon.svg',
  'dist/console/uplot-license.txt',
];

const NEEDED = [
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
  'dist/cli/main.js',
  'schema/contract.json',
  'ops/alerts.yml',
  'ops/helm/Chart.yaml',
  ...BUNDLES,
];

/** The limit for the tarball, a third above its size in 2026. A larger one probably contains a file by mistake. */
const MAX_PACKED_BYTES = 2_000_000;

/**
 * @param files the files of the package as `npm pack --json` lists them: `{path, size}` each
 * @param tracked the paths in git
 * @returns the problems, one sentence each
 */
export function contentProblems(files, packedBytes, tracked) {
  const known = new Set([...tracked, ...BUNDLES, ...tracked.flatMap(builtFrom)]);
  const paths = files.map(({ path }) => path);
  return [
    ...paths.filter((path) => !known.has(path)).map((path) => `${path} is neither in git nor built from a file in git`),
    ...NEEDED.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
    ...(packedBytes > MAX_PACKED_BYTES ? [`${packedBytes} bytes, more than ${MAX_PACKED_BYTES}`] : []),
  ];
}

function builtFrom(source) {
  const name = /^src\/(.*)\.ts$/.exec(source)?.[1];
  return name === undefined ? [] : [`dist/${name}.js`, `dist/${name}.d.ts`];
}

/** @returns the number of files and bytes of each top directory and each top-level file */
export function contentSummary(files) {
  const parts = {};
  for (const { path, size } of files) {
    const part = path.includes('/') ? `${path.split('/')[0]}/` : path;
    parts[part] ??= { files: 0, bytes: 0 };
    parts[part].files += 1;
    parts[part].bytes += size;
  }
  return parts;
}
