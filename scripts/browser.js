// Finds Chromium, which the tests of the console and its pictures need. With root's rights, Debian's package is installed if it is missing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** For a machine without a display, and without requests of the browser's own. */
export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * @returns the path of Chromium
 * @throws Error that says what to do
 */
export function chromium(env = process.env, exists = existsSync) {
  const { CHROMIUM_PATH: wanted } = env;
  if (wanted) {
    if (exists(wanted)) return wanted;
    throw new Error(`CHROMIUM_PATH names a file that does not exist: ${wanted}`);
  }
  const found = PATHS.find((path) => exists(path));
  if (found) return found;
  throw new Error(
    'The tests of the console need Chromium. Install it with apt-get install chromium, or set CHROMIUM_PATH to a Chromium or Chrome.',
  );
}

function install() {
  const apt = (...args) =>
    spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  const get = () => apt('install', '-y', '--no-install-recommends', 'chromium').status === 0;
  // The list of packages may be missing, or older than what the server still has.
  if (!get() && apt('update').status === 0) get();
}

// Before the tests. A test that needs what is missing here fails with the reason.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    chromium();
  } catch (error) {
    if (process.env.CHROMIUM_PATH || process.getuid?.() !== 0) process.stderr.write(`${error.message}\n`);
    else {
      process.stderr.write('Installing Chromium (once, with apt-get) …\n');
      install();
    }
  }
}
