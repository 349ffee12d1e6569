import type { Check } from '../check.js';
import { FINISHING } from './finishing.js';
import { READING } from './reading.js';
import { REFUSING } from './refusing.js';
import { STARTING } from './starting.js';
import { WEBHOOKS } from './webhooks.js';

/** Every assumption about Incode that can be tried, in the order of the table. */
export const CHECKS: readonly Check[] = [...FINISHING, ...READING, ...STARTING, ...REFUSING, ...WEBHOOKS];
