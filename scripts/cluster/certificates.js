import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The name in the certificates of nodes. */
export const SERVER_NAME = 'temporal.internal';

/**
 * Creates a certificate authority, a certificate of the nodes, one of clients, and one of clients that has expired.
 *
 * @returns the paths
 */
export async function createCertificates(directory, days = 30) {
  await mkdir(directory);
  const at = (name) => join(directory, name);
  const key = (name) =>
    run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', at(name)]);
  const life = ['-days', String(days)];
  const lives = { node: life, client: life, expired: ['-days', '-1'] };
  await key('ca.key');
  await run('openssl', [
    'req',
    '-x509',
    '-new',
    '-key',
    at('ca.key'),
    ...life,
    '-subj',
    '/CN=cluster-ca',
    '-out',
    at('ca.pem'),
  ]);
  await writeFile(
    at('extensions'),
    `subjectAltName=DNS:${SERVER_NAME},DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n`,
  );
  for (const [name, itsLife] of Object.entries(lives)) {
    await key(`${name}.key`);
    await run('openssl', ['req', '-new', '-key', at(`${name}.key`), '-subj', `/CN=${name}`, '-out', at(`${name}.csr`)]);
    const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('extensions')];
    await run('openssl', ['x509', '-req', '-in', at(`${name}.csr`), ...signed, ...itsLife, '-out', at(`${name}.pem`)]);
  }
  for (const name of ['ca', ...Object.keys(lives)]) await chmod(at(`${name}.key`), 0o600);
  return {
    ca: at('ca.pem'),
    node: { cert: at('node.pem'), key: at('node.key') },
    client: { cert: at('client.pem'), key: at('client.key') },
    expired: { cert: at('expired.pem'), key: at('expired.key') },
  };
}
