import { isGrpcServiceError } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../contract/index.js';
import { cloudAttributesCommand, isCloudConnection } from '../temporal/cloud.js';
import { GRPC } from '../temporal/grpc.js';

const NAMES = Object.values(SEARCH_ATTRIBUTES);

/** The command that registers the search attributes in a namespace. */
export const SEARCH_ATTRIBUTES_COMMAND = `temporal operator search-attribute create ${NAMES.map((name) => `--name ${name} --type Keyword`).join(' ')}`;

/** The namespace lacks search attributes. Without them no workflow could complete, so the worker refuses to run. */
export class MissingSearchAttributesError extends Error {
  override readonly name = 'MissingSearchAttributesError';
  readonly missing: readonly string[];

  /** @param isCloud whether the namespace is on Temporal Cloud, which has its own command */
  constructor(namespace: string, missing: readonly string[], isCloud = false) {
    const ownServer = `${SEARCH_ATTRIBUTES_COMMAND} --namespace ${namespace}. On Temporal Cloud, temporal-incode setup prints the command`;
    super(
      `Namespace ${namespace} lacks the search attributes ${missing.join(', ')} (type Keyword). Register them once: ` +
        `${isCloud ? cloudAttributesCommand(namespace, missing) : ownServer}.`,
    );
    this.missing = missing;
  }
}

/** The namespace has one of our search attributes with another type. Temporal cannot change the type. */
export class WrongSearchAttributesError extends Error {
  override readonly name = 'WrongSearchAttributesError';
  readonly wrong: readonly string[];

  constructor(namespace: string, wrong: readonly string[]) {
    super(
      `Namespace ${namespace} has the search attributes ${wrong.join(', ')} with another type than Keyword. Remove them ` +
        `(temporal operator search-attribute remove), or use another namespace.`,
    );
    this.wrong = wrong;
  }
}

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
export const KEYWORD = 2;

/**
 * Checks the namespace's search attributes. `createWorker` does this itself; call it if you host `onboardingSession` in your own worker.
 *
 * @example
 * await checkSearchAttributes(connection, 'default');
 *
 * @throws MissingSearchAttributesError, WrongSearchAttributesError
 */
export async function checkSearchAttributes(services: Services, namespace: string): Promise<void> {
  const { missing, wrong } = await searchAttributesOf(services, namespace);
  if (wrong.length > 0) throw new WrongSearchAttributesError(namespace, wrong);
  if (missing.length > 0) throw new MissingSearchAttributesError(namespace, missing, isCloudConnection(services));
}

type Services = Pick<NativeConnection, 'operatorService' | 'workflowService'>;

/** Our search attributes, by their state in a namespace. */
interface NamespaceSearchAttributes {
  present: string[];
  missing: string[];
  /** Those with another type than Keyword. */
  wrong: string[];
}

export async function searchAttributesOf(services: Services, namespace: string): Promise<NamespaceSearchAttributes> {
  const types = await registeredTypes(services, namespace);
  return {
    present: NAMES.filter((name) => types[name] === KEYWORD),
    missing: NAMES.filter((name) => types[name] === undefined),
    wrong: NAMES.filter((name) => types[name] !== undefined && types[name] !== KEYWORD),
  };
}

async function registeredTypes(services: Services, namespace: string): Promise<Record<string, unknown>> {
  try {
    return (await services.operatorService.listSearchAttributes({ namespace })).customAttributes;
  } catch (error) {
    if (!isRefused(error)) throw error;
    return queriedTypes(services, namespace);
  }
}

/**
 * For clients that may not use the operator API, reportedly Temporal Cloud's API keys. A query shows whether an attribute exists, but
 * not its type.
 */
async function queriedTypes({ workflowService }: Services, namespace: string): Promise<Record<string, unknown>> {
  const types: Record<string, unknown> = {};
  for (const name of NAMES) {
    try {
      await workflowService.countWorkflowExecutions({ namespace, query: `${name} = 'any'` });
      types[name] = KEYWORD;
    } catch (error) {
      if (!isGrpcServiceError(error) || error.code !== GRPC.invalidArgument) throw error;
    }
  }
  return types;
}

const REFUSED = new Set<number>([GRPC.permissionDenied, GRPC.unimplemented, GRPC.unauthenticated]);

/** Whether the server does not support a call, or not for this client. */
export function isRefused(error: unknown): boolean {
  return isGrpcServiceError(error) && REFUSED.has(error.code);
}
