import process from 'node:process';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { typedData, type DenseTensor, type StringTensor, type ValueInfo } from '../src/ir/index.ts';

// Must be set before onnxruntime is loaded.
process.env['ORT_DISABLE_TELEMETRY'] = '1';
const ort = await import('onnxruntime-node');

const FATAL_ONLY = 4;

/**
 * Interpreted as written, on one thread: equal graphs give equal bits. Without x64quantprecision onnxruntime's int8 kernel
 * for CPUs without VNNI saturates the sums of two products.
 */
const OPTIONS: InferenceSession.SessionOptions = {
  graphOptimizationLevel: 'disabled',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: FATAL_ONLY,
  extra: { session: { x64quantprecision: '1' } },
};

export interface OutputTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

export type Outcome =
  | { readonly outputs: Readonly<Record<string, OutputTensor>> }
  | { readonly stage: 'load' | 'run'; readonly failure: string };

export type Feeds = ReadonlyMap<string, DenseTensor | StringTensor>;

const RUNNABLE_TYPES: ReadonlySet<string> = new Set([
  'float32', 'float64', 'float16', 'string', 'bool',
  'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64',
]); // prettier-ignore

/** Whether onnxruntime-node can take or give this value. (For a 4-bit output it aborts the process.) */
export function isRunnable({ type }: ValueInfo): boolean {
  return type?.kind === 'tensor' && RUNNABLE_TYPES.has(type.dtype);
}

/** What onnxruntime makes of a model (its bytes or path), given inputs by name; without inputs it is only loaded. Failures are outcomes, not exceptions. */
export async function runOnnx(
  model: Uint8Array | string,
  feeds: Feeds | undefined,
  options: InferenceSession.SessionOptions = {},
): Promise<Outcome> {
  let session: InferenceSession | undefined;
  try {
    session = await ort.InferenceSession.create(model as string, { ...OPTIONS, ...options });
    if (feeds === undefined) return { outputs: {} };
    const inputs = Object.fromEntries([...feeds].map(([name, tensor]) => [name, toOrt(tensor)]));
    const results = await session.run(inputs);
    return {
      outputs: Object.fromEntries(Object.entries(results).map(([name, value]) => [name, fromOrt(value)])),
    };
  } catch (error) {
    return { stage: session === undefined ? 'load' : 'run', failure: (error as Error).message };
  } finally {
    await session?.release();
  }
}

function toOrt(tensor: DenseTensor | StringTensor): OrtTensor {
  if (tensor.kind === 'string') {
    return new ort.Tensor(
      'string',
      tensor.strings.map((s) => new TextDecoder().decode(s)),
      tensor.dims,
    );
  }
  return new ort.Tensor(tensor.dtype as 'float32', typedData(tensor) as Float32Array, tensor.dims);
}

function fromOrt({ type, dims, data }: OrtTensor): OutputTensor {
  return { type, dims, data };
}
