import { readCaptureConfig } from './capture.js';
import { readCodecServerConfig } from './codec-server.js';
import { readConfig } from './index.js';
import type { Environment } from './types.js';
import { readWebhookConfig } from './webhook.js';

const OURS = /^(INCODE|WORKER|WEBHOOK)_/;

/** Kubernetes adds these variables for a Service whose name begins with one of our prefixes. */
const KUBERNETES_SERVICE = /_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_\d+_(TCP|UDP)(_.*)?)$/;

/**
 * Finds variables with our prefixes that no configuration reads, which are probably misspelled. Workers, receivers and codec servers may share one
 * environment, so a name is known if any of them reads it.
 */
export function unknownVariables(env: Environment = process.env): string[] {
  const known = knownVariables();
  return Object.keys(env)
    .filter((name) => OURS.test(name) && !KUBERNETES_SERVICE.test(name) && !known.has(name))
    .sort();
}

export function warnOfUnknownVariables(warn: (message: string) => void, env?: Environment): void {
  const names = unknownVariables(env);
  if (names.length > 0) warn(`Unknown variables are ignored: ${names.join(', ')}. Check the spelling`);
}

function knownVariables(): Set<string> {
  const names = new Set<string>();
  const recording: Environment = new Proxy(
    {},
    {
      get(_, name) {
        names.add(String(name));
        return undefined;
      },
    },
  );
  for (const read of [readConfig, readCaptureConfig, readWebhookConfig, readCodecServerConfig]) {
    try {
      read(recording);
    } catch {
      // Required variables are missing here. Only the names that were read matter.
    }
  }
  return names;
}
