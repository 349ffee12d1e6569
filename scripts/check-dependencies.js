// Checks what the lockfile says of everything that a user installs: licences, integrity, sources, scripts run while installing.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Each allows use in closed products and asks for no more than its notice. */
const LICENCES = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0']);

/** Run code while they are installed. */
const WITH_INSTALL_SCRIPTS = {
  // Looks at the version that the host's package.json asks for, and may warn; nothing is missing without it (`--ignore-scripts`).
  protobufjs: '7',
};

/**
 * @param lockfile package-lock.json, parsed
 * @returns what is wrong with it, one sentence each, and how many packages are installed without those for development
 */
export function dependencyProblems({ packages }) {
  const installed = Object.entries(packages).filter(([path]) => path !== '');
  const shipped = installed.filter(([, { dev, devOptional }]) => !dev && !devOptional);
  const problems = [
    ...installed.flatMap(([path, { integrity }]) => (integrity ? [] : [`${path} has no integrity`])),
    // A tarball or a git repository is nothing that the registry vouches for.
    ...installed.flatMap(([path, { resolved }]) =>
      resolved === undefined || /^https:\/\/[^/]+\/(@[^/]+\/)?[^/]+\/-\//.test(resolved)
        ? []
        : [`${path} does not come from the registry`],
    ),
    ...shipped.flatMap(([path, { license }]) =>
      LICENCES.has(license) ? [] : [`${path}: licence ${license ?? 'unknown'} has not been looked at`],
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
