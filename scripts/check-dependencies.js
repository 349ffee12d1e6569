// Checks the lockfile's entries for everything that a user installs: licenses, integrity, sources and install scripts.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Licenses that allow use in closed products and require only a notice. */
const LICENSES = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0']);

/** Packages with an install script, by name and major version. */
const WITH_INSTALL_SCRIPTS = {
  // Compares versions and may warn. `--ignore-scripts` loses nothing.
  protobufjs: '7',
};

/**
 * @param lockfile package-lock.json, parsed
 * @returns the problems, one sentence each, and the number of packages that users install
 */
export function dependencyProblems({ packages }) {
  const installed = Object.entries(packages).filter(([path]) => path !== '');
  const shipped = installed.filter(([, { dev, devOptional }]) => !dev && !devOptional);
  const problems = [
    ...installed.flatMap(([path, { integrity }]) => (integrity ? [] : [`${path} has no integrity`])),
    // Only the registry's packages have its integrity checks, not tarballs or git repositories.
    ...installed.flatMap(([path, { resolved }]) =>
      resolved === undefined || /^https:\/\/[^/]+\/(@[^/]+\/)?[^/]+\/-\//.test(resolved)
        ? []
        : [`${path} does not come from the registry`],
    ),
    ...shipped.flatMap(([path, { license }]) =>
      LICENSES.has(license) ? [] : [`${path}: license ${license ?? 'unknown'} is not on the list`],
    ),
    ...shipped.flatMap(([path, { hasInstallScript, version }]) => {
      const known = WITH_INSTALL_SCRIPTS[nameOf(path)] === version.split('.')[0];
      return !hasInstallScript || known ? [] : [`${path} runs code while it is installed`];
    }),
  ];
  return { problems, shipped: shipped.length };
}

function nameOf(path) {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const lockfile = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
  const { problems, shipped } = dependencyProblems(lockfile);
  for (const problem of problems) console.log(`FAILED  ${problem}`);
  console.log(`Dependencies: ${shipped} packages for users, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
