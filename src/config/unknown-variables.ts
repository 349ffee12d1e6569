import { readCodecServerConfig } from './codec-server.js';
import { readConfig } from './index.js';
import type { Environment } from './types.js';
import { readWebhookConfig } from './webhook.js';

const OURS = /^(INCODE|WORKER|WEBHOOK)_/;

/** Kubernetes adds these for a Service with such a name. */
const OF_KUBERNETES = /_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_\d+_(TCP|UDP)(_.*)?)$/;

/**
 * Variables with our prefixes that no configuration reads, probably misspelled. Workers, receivers and codec servers may share one
 * environment, so a name is known if any of them reads it.
 */
export function unknownVariables(env: Environment = process.env): string[] {
  const known = knownVariables();
  return Object.keys(env)
    .filter((name) => OURS.test(name) && !OF_KUBERNETES.test(name) && !known.has(name))
    .sort();
}

/** Warns once, at the start. */
export function warnOfUnknownVariables(warn: (message: string) => void, env?: Environment): void {
  const names = unknownVariables(env);
  if (names.length > 0) warn(`Ignored, because no variable has this name: ${names.join(', ')}. Check the spelling`);
}

function knownVariables(): Set<string> {
  const asked = new Set<string>();
  const recording: Environment = new Proxy(
    {},
    {
      get(_, name) {
        asked.add(String(name));
        return undefined;
      },
    },
  );
  for (const read of [readConfig, readWebhookConfig, readCodecServerConfig]) {
    try {
      read(recording);
    } catch {
      // Required variables are missing; which names were asked for is known all the same.
    }
  }
  return asked;
}
