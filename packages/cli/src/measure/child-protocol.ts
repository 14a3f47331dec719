import type { RunnerInput, RunnerOutput } from '@edgewise/compiler';

/** What the measuring process is asked, one request at a time. */
export type ChildRequest =
  | { readonly type: 'open'; readonly folder: string; readonly first: RunnerInput }
  | { readonly type: 'run'; readonly inputs: readonly RunnerInput[] }
  | { readonly type: 'memory' };

export type ChildReply =
  | { readonly type: 'opened'; readonly loadMs: number; readonly firstMs: number }
  | { readonly type: 'ran'; readonly outputs: readonly RunnerOutput[] }
  | { readonly type: 'memory'; readonly peakBytes: number }
  | { readonly type: 'failed'; readonly message: string; readonly stack?: string };
