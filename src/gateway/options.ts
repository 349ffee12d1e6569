import type { OnboardingClient } from '../client/index.js';
import { GATEWAY_DEFAULTS, type GatewayToken } from '../contract/gateway-settings.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import type { ListTools } from './lists.js';
import type { GatewayEvent } from './log.js';

export interface GatewayOptions {
  client: OnboardingClient;
  /** The tokens that are valid now. `null`: anybody on this machine may do everything. */
  tokens: (() => readonly GatewayToken[]) | null;
  /** The address of a workflow in Temporal's Web UI, without the workflow id at its end. @default no links */
  webUi?: string | null;
  /** How lists are read and written. */
  lists: ListTools;
  /** Certificate and key in PEM format as they are now. @default plain HTTP */
  tls?: (() => { cert: string; key: string }) | null;
  /** Decides the answer of `/readyz`. @default always ready */
  ready?: () => Promise<boolean>;
  /** Requests per second of each token. @default 200 */
  requestsPerSecond?: number;
  /** Further connections are closed at once. @default 1000 */
  maxConnections?: number;
  /** Listeners to events at the same time. @default 500 */
  maxListeners?: number;
  /** Time between signs of life to a listener, in ms. @default 15000: proxies end connections that are silent for a minute */
  keepAliveMs?: number;
  /** Maximum size of a JSON body. @default 65536 */
  maxBodyBytes?: number;
  /** Maximum size of a list. @default 134217728: 50,000 sessions with their tokens have about 75 MB */
  maxListBytes?: number;
  /** Timeout for the headers of a request, in ms. @default 5000 */
  headersTimeoutMs?: number;
  /** Timeout for a JSON body, and for each pause in a list, in ms. @default 10000 */
  bodyTimeoutMs?: number;
  /** Called after every request to an operation: the audit log. */
  log?: (event: GatewayEvent) => void;
  /** Called once for each certificate that cannot be used. The last one stays in use. */
  onWarning?: (warning: string) => void;
}

/** The options with every default filled in. */
export type GatewaySettings = Required<GatewayOptions>;

export function resolveGatewayOptions(options: GatewayOptions): GatewaySettings {
  return {
    ...GATEWAY_DEFAULTS,
    tls: null,
    webUi: null,
    ready: async () => true,
    log: () => undefined,
    onWarning: () => undefined,
    ...omitUndefined(options),
  } as GatewaySettings;
}
