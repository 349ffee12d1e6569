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

/** @throws MissingSearchAttributesError */
export async function checkSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  // 2: INDEXED_VALUE_TYPE_KEYWORD
  const missing = NAMES.filter((name) => customAttributes[name] !== 2);
  if (missing.length > 0) throw new MissingSearchAttributesError(namespace, missing);
}
