/** Tasks that can be evaluated and optimized for. */
export const TASKS = [
  'text-classification',
  'feature-extraction',
  'image-classification',
  'object-detection',
  'image-feature-extraction',
  'audio-classification',
  'voice-activity-detection',
] as const;
export type TaskName = (typeof TASKS)[number];

/** What a task's model takes. */
export const TAKEN = ['text', 'image', 'audio'] as const;
export type Taken = (typeof TAKEN)[number];

interface TakenBy {
  readonly 'text-classification': 'text';
  readonly 'feature-extraction': 'text';
  readonly 'image-classification': 'image';
  readonly 'object-detection': 'image';
  readonly 'image-feature-extraction': 'image';
  readonly 'audio-classification': 'audio';
  readonly 'voice-activity-detection': 'audio';
}

const TAKEN_BY: TakenBy = {
  'text-classification': 'text',
  'feature-extraction': 'text',
  'image-classification': 'image',
  'object-detection': 'image',
  'image-feature-extraction': 'image',
  'audio-classification': 'audio',
  'voice-activity-detection': 'audio',
};

/** Names of the tasks that take it. */
export type TaskTaking<What extends Taken> = {
  [Task in TaskName]: TakenBy[Task] extends What ? Task : never;
}[TaskName];

/** The task of that name; undefined for one that is not known here. */
export function taskNamed(name: string): TaskName | undefined {
  return TASKS.find((task) => task === name);
}

export function takenBy(task: TaskName): Taken {
  return TAKEN_BY[task];
}

export function takes<What extends Taken>(task: string, what: What): task is TaskTaking<What> {
  const known = taskNamed(task);
  return known !== undefined && TAKEN_BY[known] === what;
}
