import type { NativeConnection } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from './contract/index.js';

const NAMES = Object.values(SEARCH_ATTRIBUTES);

/** Registers what a namespace needs, once. */
export const SEARCH_ATTRIBUTES_COMMAND = `temporal operator search-attribute create ${NAMES.map((name) => `--name ${name} --type Keyword`).join(' ')}`;

/** The namespace lacks search attributes. Without them every workflow would be stuck at its end, so the worker refuses to run. */
export class MissingSearchAttributesError extends Error {
  override readonly name = 'MissingSearchAttributesError';
  readonly missing: readonly string[];

  constructor(namespace: string, missing: readonly string[]) {
    super(
      `Namespace ${namespace} lacks the search attributes ${missing.join(', ')} (type Keyword). Register them once: ` +
        `${SEARCH_ATTRIBUTES_COMMAND} --namespace ${namespace}`,
    );
    this.missing = missing;
  }
}

/** A name of ours stands for another type in the namespace. Temporal changes no type. */
export class WrongSearchAttributesError extends Error {
  override readonly name = 'WrongSearchAttributesError';
  readonly wrong: readonly string[];

  constructor(namespace: string, wrong: readonly string[]) {
    super(
      `Namespace ${namespace} has search attributes ${wrong.join(', ')} of another type than Keyword. Remove them ` +
        `(temporal operator search-attribute remove), or use another namespace.`,
    );
    this.wrong = wrong;
  }
}

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;

/**
 * For whoever hosts `onboardingSession` in a worker of their own: `createWorker` does it by itself.
 *
 * @throws MissingSearchAttributesError, WrongSearchAttributesError
 */
export async function checkSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const wrong = NAMES.filter((name) => customAttributes[name] !== undefined && customAttributes[name] !== KEYWORD);
  if (wrong.length > 0) throw new WrongSearchAttributesError(namespace, wrong);
  const missing = NAMES.filter((name) => customAttributes[name] === undefined);
  if (missing.length > 0) throw new MissingSearchAttributesError(namespace, missing);
}
