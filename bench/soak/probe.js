// Loaded into a process by `--import`: each second a line about it goes to the file that SOAK_PROBE names.
import { appendFileSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const INTERVAL_MS = 1_000;
const MB = 2 ** 20;

// The SDK runs workflows in threads of their own, and loads this there too.
if (isMainThread && process.env.SOAK_PROBE) {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  setInterval(() => {
    const line = {
      at: Date.now(),
      memoryMb: residentMb(),
      heapMb: process.memoryUsage().heapUsed / MB,
      sockets: sockets(),
      // The histogram's own ticks of 10 ms are not a delay.
      delayMs: Math.max(0, delay.percentile(99) / 1e6 - 10),
    };
    delay.reset();
    appendFileSync(process.env.SOAK_PROBE, `${JSON.stringify(line)}\n`);
  }, INTERVAL_MS).unref();
}

function residentMb() {
  return Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) / 256;
}

function sockets() {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}
