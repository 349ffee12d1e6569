import { TemporalIncodeError } from '../contract/index.js';
import { redacted } from '../secrets/index.js';

/** Destination of a request. */
export interface TemporalTarget {
  /** Host and port. */
  address: string;
  namespace: string;
}

/** The `TEMPORAL_…` variables or the profile file are wrong, or encryption keys are missing. Nothing was sent. */
export class TemporalConfigurationError extends TemporalIncodeError {
  override readonly name = 'TemporalConfigurationError';

  constructor(cause: unknown) {
    super(`The Temporal configuration (TEMPORAL_… and its profile file) is wrong: ${(cause as Error).message}`);
  }
}

/**
 * Why Temporal is unavailable:
 * - `notListening`: nothing accepts connections at the address;
 * - `away`: the server does not answer, or is too busy;
 * - `refused`: the server rejects the credentials, or they do not permit the request;
 * - `unknownNamespace`: the server has no such namespace.
 */
export type TemporalProblem = 'notListening' | 'away' | 'refused' | 'unknownNamespace';

const MAY_BE_TAKEN = 'It is not known whether Temporal took the request.';
const NOTHING_SENT = 'Nothing was sent.';

const PROBLEMS: Record<TemporalProblem, (target: TemporalTarget) => string> = {
  notListening: ({ address }) =>
    `Nothing is listening at ${address}. Start the Temporal server there, or correct the address (TEMPORAL_ADDRESS).`,
  away: ({ address }) =>
    `Temporal at ${address} does not answer or is too busy. ` +
    'Check that it runs, that the address (TEMPORAL_ADDRESS) is right and whether it needs TLS (TEMPORAL_TLS). Then repeat the request.',
  refused: ({ address, namespace }) =>
    `Temporal at ${address} refuses the credentials for namespace ${namespace}. ` +
    'Check the API key (TEMPORAL_API_KEY or TEMPORAL_API_KEY_FILE) or the client certificate (TEMPORAL_TLS_CLIENT_CERT_PATH), and their permissions.',
  unknownNamespace: ({ address, namespace }) =>
    `Temporal at ${address} has no namespace ${namespace}. Set TEMPORAL_NAMESPACE to an existing namespace, or create this one: ` +
    `temporal operator namespace create --namespace ${namespace}`,
};

/** Temporal cannot be reached or refuses the caller. The error says nothing about a session. */
export class TemporalUnavailableError extends TemporalIncodeError {
  override readonly name = 'TemporalUnavailableError';
  /** Why Temporal is unavailable. */
  readonly problem: TemporalProblem;
  /** The same request may succeed later without a change of settings. */
  readonly retryable: boolean;
  /** Temporal may have taken the request before the connection was lost. `false` if it certainly has not. */
  readonly mayBeTaken: boolean;
  /** Host and port. */
  readonly address: string;
  readonly namespace: string;

  /**
   * @param cause what Temporal's client threw
   * @param wasSent whether a request was in flight
   */
  constructor(problem: TemporalProblem, target: TemporalTarget, cause?: unknown, wasSent = true) {
    const retryable = problem === 'away' || problem === 'notListening';
    const mayBeTaken = retryable && wasSent;
    const consequence = retryable ? ` ${mayBeTaken ? MAY_BE_TAKEN : NOTHING_SENT}` : '';
    super(`${PROBLEMS[problem](target)}${consequence}`, { cause });
    this.problem = problem;
    this.retryable = retryable;
    this.mayBeTaken = mayBeTaken;
    this.address = target.address;
    this.namespace = target.namespace;
  }
}

/** The namespace lacks search attributes that this package needs, or has them with another type. Nothing was started. */
export class NamespaceNotSetUpError extends TemporalIncodeError {
  override readonly name = 'NamespaceNotSetUpError';
  readonly address: string;
  readonly namespace: string;
  /** The search attribute that the server named; more may be missing. */
  readonly searchAttribute: string;

  constructor({ address, namespace }: TemporalTarget, searchAttribute: string, cause?: unknown) {
    // The address of a connection that this package did not create is unknown.
    const at = /:\d+$/.test(address) ? ` --address ${address}` : '';
    super(
      `Namespace ${namespace} of Temporal at ${address} is not set up: it lacks the search attribute ${searchAttribute}, or has ` +
        `it with another type than Keyword. Set it up once: temporal-incode setup${at} --namespace ${namespace}`,
      { cause },
    );
    this.address = address;
    this.namespace = namespace;
    this.searchAttribute = searchAttribute;
  }
}

/** The client's connection was closed by `close()` or by the owner of the connection. */
export class ClientClosedError extends TemporalIncodeError {
  override readonly name = 'ClientClosedError';
  readonly address: string;

  constructor({ address }: Pick<TemporalTarget, 'address'>, cause?: unknown) {
    super(
      `This client is closed: close() has ended its connection to Temporal at ${address}. ` +
        'Connect a new client, and close it only when no request is in flight.',
      { cause },
    );
    this.address = address;
  }
}

/** Long enough for every reason that Temporal gives. Limited, because a reason may repeat parts of the request. */
const MAX_REASON_LENGTH = 300;

/** Temporal refused a request for a reason that no other error of this package covers. `cause` is the original error. */
export class TemporalRequestError extends TemporalIncodeError {
  override readonly name = 'TemporalRequestError';
  readonly address: string;
  readonly namespace: string;
  /** Name of the gRPC status, such as `INVALID_ARGUMENT`. `null` if the request failed before the server answered. */
  readonly status: string | null;

  constructor({ address, namespace }: TemporalTarget, status: string | null, reason: string, cause?: unknown) {
    const what = status === null ? 'failed before it was answered' : `was refused (${status})`;
    super(
      `A request to Temporal at ${address}, namespace ${namespace}, ${what}: ${shortened(redacted(reason.slice(0, 4 * MAX_REASON_LENGTH)))}`,
      {
        cause,
      },
    );
    this.address = address;
    this.namespace = namespace;
    this.status = status;
  }
}

function shortened(text: string): string {
  return text.length > MAX_REASON_LENGTH ? `${text.slice(0, MAX_REASON_LENGTH)}…` : text;
}
