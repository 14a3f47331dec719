// The process that one candidate runs in: its memory and its start are then its own.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { ChildReply, ChildRequest } from './child-protocol.ts';
import { openTask, type OpenTask } from './open-task.ts';

const KIB = 1024;

let task: OpenTask | undefined;
let memoryBefore = 0;

process.on('message', (request: ChildRequest) => void answer(request));
process.on('disconnect', () => process.exit(0));
// Ctrl+C reaches the whole process group; the parent decides.
process.on('SIGINT', () => {});

async function answer(request: ChildRequest): Promise<void> {
  let reply: ChildReply;
  try {
    reply = await handle(request);
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    reply = { type: 'failed', message, ...(stack === undefined ? {} : { stack }) };
  }
  process.send?.(reply);
}

async function handle(request: ChildRequest): Promise<ChildReply> {
  switch (request.type) {
    case 'open': {
      memoryBefore = process.memoryUsage.rss();
      const start = performance.now();
      task = await openTask(request.folder);
      const loaded = performance.now();
      await task.answer(request.first);
      return { type: 'opened', loadMs: loaded - start, firstMs: performance.now() - loaded };
    }
    case 'run': {
      const outputs = [];
      for (const input of request.inputs) {
        const start = performance.now();
        const answer = (await task?.answer(input)) ?? { scores: [] };
        outputs.push({ ...answer, latencyMs: performance.now() - start });
      }
      return { type: 'ran', outputs };
    }
    case 'memory':
      return { type: 'memory', peakBytes: Math.max(0, peakResidentBytes() - memoryBefore) };
  }
}

/** Linux counts maxRSS from before exec, the parent's included; VmHWM is this program's own. */
function peakResidentBytes(): number {
  if (process.platform === 'linux') {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (peak !== undefined) return Number(peak) * KIB;
  }
  return process.resourceUsage().maxRSS * KIB;
}
