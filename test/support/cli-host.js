// Runs `temporal-incode` once per message in one process, so that its dependencies are loaded once. Each command gets its own arguments,
// environment, stdin, stdout, stderr and exit code.
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const MAIN = new URL('../../dist/cli/main.js', import.meta.url);
const exitHost = process.exit;
/** The channel to the test is one resource. */
const OWN_RESOURCES = 1;
/** Longer than any timer that a command leaves on purpose. */
const LEFT_OPEN_MS = 10_000;
let runs = 0;

process.on('disconnect', () => exitHost());
process.on('message', async ({ args, stdin, env }) => {
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    replace(
      name,
      collect((text) => (written[name] += text)),
    );
  replace('stdin', Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]));
  process.argv = [process.execPath, MAIN.pathname, ...args];
  process.env = env;
  process.exitCode = undefined;
  const listeners = new Map(process.eventNames().map((event) => [event, process.listeners(event)]));
  const exited = new Promise((resolve) => {
    process.exit = (code) => resolve(code ?? process.exitCode ?? 0);
  });
  runs += 1;
  // The query makes Node run main.js again. The modules that it imports stay loaded.
  const ended = import(`${MAIN}?run=${runs}`).then(() => process.exitCode ?? 0);
  const code = await Promise.race([exited, ended]);
  const leftOpen = await openResources();
  for (const event of process.eventNames()) {
    const added = process.listeners(event).filter((listener) => !listeners.get(event)?.includes(listener));
    for (const listener of added) {
      if (event === 'exit') listener(code);
      process.off(event, listener);
    }
  }
  process.send({ code, ...written, leftOpen });
});

function replace(name, value) {
  Object.defineProperty(process, name, { value, configurable: true });
}

function collect(take) {
  return new Writable({
    decodeStrings: false,
    write(chunk, _, done) {
      take(String(chunk));
      done();
    },
  });
}

/** Resources that would keep the process alive, such as a connection that the command has not closed. */
async function openResources() {
  const deadline = Date.now() + LEFT_OPEN_MS;
  for (;;) {
    const open = process.getActiveResourcesInfo();
    if (open.length <= OWN_RESOURCES) return [];
    if (Date.now() > deadline) return open;
    await sleep(5, undefined, { ref: false });
  }
}
