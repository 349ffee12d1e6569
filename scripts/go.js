// Builds programs from the Go module proxy, whose checksums Go verifies.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/**
 * @param pkg path and version, as `helm.sh/helm/v3/cmd/helm@v3.17.3`
 * @param directory where to put the program
 * @param options.flags of `go install`
 * @param options.onPackage called after each package that was compiled
 * @param options.otherwise what to do without Go, for its error
 * @returns the path of the program
 */
export function goInstall(pkg, directory, { flags = [], onPackage = () => undefined, otherwise = '' } = {}) {
  const args = ['install', '-v', ...flags, pkg];
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, GOBIN: directory },
    });
    let last = '';
    child.stderr.on('data', (text) => {
      for (const line of String(text).split('\n').filter(Boolean)) {
        last = line;
        onPackage();
      }
    });
    child.once('error', () => {
      reject(new Error(`Go is missing. It builds ${pkg} once (https://go.dev/dl). ${otherwise}`.trim()));
    });
    child.once('close', (code) => {
      if (code === 0) resolve(join(directory, pkg.split('@')[0].split('/').at(-1)));
      else reject(new Error(`go ${args.join(' ')}: ${last}`));
    });
  });
}
