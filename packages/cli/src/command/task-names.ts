/** Tasks that can be evaluated and optimized for. */
export const TASKS = [
  'text-classification',
  'feature-extraction',
  'image-classification',
  'object-detection',
] as const;
export type TaskName = (typeof TASKS)[number];

/** Those whose input is an image. */
export type ImageTaskName = 'image-classification' | 'object-detection';

/** The task of that name; undefined for one that is not known here. */
export function taskNamed(name: string): TaskName | undefined {
  return TASKS.find((task) => task === name);
}

export function isImageTask(task: string): task is ImageTaskName {
  return task === 'image-classification' || task === 'object-detection';
}
