// Runs a Temporal cluster on this machine until Ctrl-C: PostgreSQL, and a process for each node.
import { parseArgs } from 'node:util';
import { startCluster } from './cluster/cluster.js';

const HELP = `npm run cluster -- [options]

Starts PostgreSQL and a Temporal cluster on 127.0.0.1: a frontend, two history nodes, matching and worker, with 512 history shards. Nodes and
clients use TLS with generated certificates. Needs PostgreSQL, openssl, and Go for the first start. Everything is deleted at the end.

  --no-client-tls  clients connect without TLS
  --json           prints addresses, variables and process ids as one line of JSON
  --help           prints this text

TEMPORAL_SERVER_PATH  folder with temporal-server and temporal-sql-tool, instead of building them`;

const options = {
  'client-tls': { type: 'boolean', default: true },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

function readOptions() {
  try {
    return parseArgs({ options, allowNegative: true }).values;
  } catch (error) {
    console.error(`${error.message}. See npm run cluster -- --help`);
    process.exit(2);
  }
}

const values = readOptions();
if (values.help) {
  console.log(HELP);
} else {
  const stopping = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, resolve);
  });
  // Keeps this process alive once the cluster runs.
  const alive = setInterval(() => undefined, 2 ** 30);
  const onProgress = (message) => process.stderr.write(`${message} …\n`);
  const starting = startCluster({ clientTls: values['client-tls'], onProgress });
  try {
    const cluster = await Promise.race([starting, stopping]);
    if (cluster?.address) print(cluster);
    await stopping;
    onProgress('Stopping');
    await (await starting).stop();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
  clearInterval(alive);
}

function print({ address, env, pids, certificates }) {
  if (values.json) {
    console.log(JSON.stringify({ address, namespace: 'default', env, pids, certificates }));
    return;
  }
  console.log(`\nA Temporal cluster runs at ${address}. To use it in another terminal:\n`);
  for (const [name, value] of Object.entries(env)) console.log(`  export ${name}=${value}`);
  console.log(
    `\nProcesses: ${Object.entries(pids)
      .map(([name, pid]) => `${name} ${pid}`)
      .join(', ')}`,
  );
  console.log('Ctrl-C stops and deletes it.');
}
