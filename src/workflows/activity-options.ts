// The entry `temporal-incode/activity-options`, for workflows of other teams that call the activities directly. It loads no other
// code, so their bundles get none of our workflows.
export type * from '../activities/types.js';
export { ACTIVITY_OPTIONS } from './options.js';
