/** Made by the build from more than one source. */
const BUNDLES = ['dist/workflow-bundle.js', 'dist/workflow-bundle-encrypting.js'];

const NEEDED = ['LICENSE', 'README.md', 'CHANGELOG.md', 'dist/cli/main.js', 'schema/contract.json', ...BUNDLES];

/** What a client downloads. Twice what it was when this was written: more than that is something that does not belong there. */
const MAX_PACKED_BYTES = 1_500_000;

/**
 * @param files of the package, as `npm pack --json` lists them: `{path, size}` each
 * @param tracked paths that git knows
 * @returns what is wrong, one sentence each
 */
export function contentProblems(files, packedBytes, tracked) {
  const known = new Set([...tracked, ...BUNDLES, ...tracked.flatMap(builtFrom)]);
  const paths = files.map(({ path }) => path);
  return [
    ...paths.filter((path) => !known.has(path)).map((path) => `${path} is neither in git nor built from what is`),
    ...NEEDED.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
    ...(packedBytes > MAX_PACKED_BYTES ? [`${packedBytes} bytes, more than ${MAX_PACKED_BYTES}`] : []),
  ];
}

function builtFrom(source) {
  const name = /^src\/(.*)\.ts$/.exec(source)?.[1];
  return name === undefined ? [] : [`dist/${name}.js`, `dist/${name}.d.ts`];
}

/** @returns by top directory, how many files and bytes it has; files beside them under their own names */
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
