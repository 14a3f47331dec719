import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  CompilerError,
  type Runner,
  type RunnerInput,
  type RunnerOutput,
  type RunnerSession,
} from '@edgewise/compiler';
import { withoutUndefined } from '../files/without-undefined.ts';
import type { ChildReply, ChildRequest } from './child-protocol.ts';
import { aboutFile, decodeInput, readPackageManifest } from './open-task.ts';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

/** Text kept of what a child printed, for the message when it dies. */
const STDERR_KEPT = 2000;

/** Runs a package folder in a Node process of its own: the engine's packages and, through onnxruntime-node, ONNX ones. */
export function nodeRunner(name: string): Runner<string> {
  return {
    name,
    open: async (folder, { first, signal }) => {
      const { task } = await readPackageManifest(folder);
      const child = startChild(withoutUndefined({ signal }));
      try {
        const decoded = await decodeInput(first, task);
        const opened = await aboutFile(first, child.ask({ type: 'open', folder, first: decoded }, 'opened'));
        return session(child, task, opened);
      } catch (error) {
        await child.stop();
        throw error;
      }
    },
  };
}

function session(
  child: Child,
  task: string,
  { loadMs, firstMs }: { loadMs: number; firstMs: number },
): RunnerSession {
  return {
    loadMs,
    firstMs,
    run: (inputs) => runAll(child, task, inputs),
    peakMemoryBytes: async () => (await child.ask({ type: 'memory' }, 'memory')).peakBytes,
    close: () => child.stop(),
  };
}

/** Files are decoded here, so that the decoder's memory is not the candidate's, and one at a time: they may be large. */
async function runAll(
  child: Child,
  task: string,
  inputs: readonly RunnerInput[],
): Promise<readonly RunnerOutput[]> {
  const texts = inputs.filter((input) => 'text' in input);
  if (texts.length === inputs.length) return (await child.ask({ type: 'run', inputs: texts }, 'ran')).outputs;
  const outputs: RunnerOutput[] = [];
  for (const input of inputs) {
    const decoded = await decodeInput(input, task);
    const reply = await aboutFile(input, child.ask({ type: 'run', inputs: [decoded] }, 'ran'));
    outputs.push(...reply.outputs);
  }
  return outputs;
}

interface Child {
  readonly ask: <T extends ChildReply['type']>(
    request: ChildRequest,
    expected: T,
  ) => Promise<Extract<ChildReply, { type: T }>>;
  readonly stop: () => Promise<void>;
}

function startChild({ signal }: { signal?: AbortSignal }): Child {
  const process = fork(CHILD, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced' });
  let printed = '';
  process.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-STDERR_KEPT);
  });
  const ended = new Promise<void>((resolve) => process.once('exit', () => resolve()));
  const kill = (): void => void process.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  return {
    ask: async (request, expected) => {
      signal?.throwIfAborted();
      const reply = await exchange(process, request, () => printed, signal);
      if (reply.type === 'failed') throw failure(reply);
      if (reply.type !== expected) throw new Error(`child.ts answered ${reply.type} to ${request.type}`);
      return reply as Extract<ChildReply, { type: typeof expected }>;
    },
    stop: async () => {
      signal?.removeEventListener('abort', kill);
      kill();
      await ended;
    },
  };
}

function exchange(
  child: ChildProcess,
  request: ChildRequest,
  printed: () => string,
  signal: AbortSignal | undefined,
): Promise<ChildReply> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    const onMessage = (reply: ChildReply): void => {
      finish();
      resolve(reply);
    };
    const onExit = (code: number | null, killedBy: string | null): void => {
      finish();
      const how = killedBy === null ? `exit code ${code}` : killedBy;
      const text = printed().trim();
      const died = `the measuring process ended (${how})${text === '' ? '' : `: ${text}`}`;
      reject(signal?.aborted ? abortReason(signal) : new Error(died));
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
    // A child that is gone cannot be sent to; 'exit' says so better than the error here.
    child.send(request, () => {});
  });
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}

function failure({ message, stack }: { message: string; stack?: string }): CompilerError {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return new CompilerError('unsupported', message, { cause });
}
