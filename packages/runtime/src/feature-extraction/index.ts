/** Name of the task as the manifest writes it. */
export const TASK = 'feature-extraction';
