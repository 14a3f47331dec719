import type { RunnerOutput } from '@edgewise/compiler';
import type { TaskInput } from './open-task.ts';

/** What the measuring process is asked, one request at a time. */
export type ChildRequest =
  | { readonly type: 'open'; readonly folder: string; readonly first: TaskInput }
  | { readonly type: 'run'; readonly inputs: readonly TaskInput[] }
  | { readonly type: 'memory' };

export type ChildReply =
  | { readonly type: 'opened'; readonly loadMs: number; readonly firstMs: number }
  | { readonly type: 'ran'; readonly outputs: readonly RunnerOutput[] }
  | { readonly type: 'memory'; readonly peakBytes: number }
  | { readonly type: 'failed'; readonly message: string; readonly stack?: string };
