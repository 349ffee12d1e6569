// `temporal-incode/activity-options`: for workflows of other teams that call the activities themselves. It loads nothing, so a
// bundle that imports it gets none of our workflows.
export type * from '../activities/types.js';
export { ACTIVITY_OPTIONS } from './options.js';
