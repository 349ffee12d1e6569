import { readCaptureConfig } from './capture.js';
import { readCodecServerConfig } from './codec-server.js';
import { readGatewayConfig } from './gateway.js';
import { readConfig } from './index.js';
import type { Environment } from './types.js';
import { readWebhookConfig } from './webhook.js';

const OURS = /^(INCODE|WORKER|WEBHOOK|GATEWAY)_/;

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
  const warning = warningOf(env);
  if (warning) warn(warning);
}

/** @returns the problems of a configuration. A variable is often missing because its name is misspelled, so unknown ones follow. */
export function withUnknownVariables(problems: string, env?: Environment): string {
  const warning = warningOf(env);
  return warning ? `${problems}\n${warning}` : problems;
}

function warningOf(env?: Environment): string | undefined {
  const names = unknownVariables(env);
  return names.length > 0 ? `Unknown variables are ignored: ${names.join(', ')}. Check the spelling` : undefined;
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
  for (const read of [readConfig, readCaptureConfig, readWebhookConfig, readGatewayConfig, readCodecServerConfig]) {
    try {
      read(recording);
    } catch {
      // Required variables are missing here. Only the names that were read matter.
    }
  }
  return names;
}
