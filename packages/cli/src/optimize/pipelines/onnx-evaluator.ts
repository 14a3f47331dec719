import process from 'node:process';
import {
  denseTensor,
  expandEdgewise,
  typedData,
  writeOnnx,
  type Evaluator,
  type Model,
  type Tensor,
} from '@edgewise/compiler';
import type * as OnnxRuntime from 'onnxruntime-node';
import { UsageError } from '../../command/usage-error.ts';
import type { Sample } from './pipeline.ts';

/**
 * onnxruntime fuses by itself what a pass has not fused yet. Measured on the networks of the tests: up to 3e-5 at outputs of
 * about 10; a wrong rewrite changes them by far more than this.
 */
export const ONNXRUNTIME_NOISE = { absolute: 1e-3, relative: 1e-3 };

/** Without VNNI onnxruntime's products of 8-bit weights saturate in 16 bits, unless it is told to be exact. */
const OPTIONS: OnnxRuntime.InferenceSession.SessionOptions = {
  // Fatal ones only: what fails to load is reported by us.
  logSeverityLevel: 4,
  extra: { session: { x64quantprecision: '1' } },
};

/** A model that is ready to run. */
export interface OnnxModel {
  /** Outputs by name, of floats or bytes. */
  readonly run: (sample: Sample) => Promise<Map<string, Tensor>>;
  readonly close: () => Promise<void>;
}

/** Runs models with onnxruntime, our own operators written out: quicker by far than the reference evaluator. */
export function onnxEvaluator(): Evaluator {
  return async (model, sample) => {
    const opened = await openOnnx(model);
    try {
      return await opened.run(sample);
    } finally {
      await opened.close();
    }
  };
}

/** Opens the model, or what leads to its inner values by name. */
export async function openOnnx(model: Model, values?: readonly string[]): Promise<OnnxModel> {
  const runtime = await importOnnxRuntime();
  const expanded = expandEdgewise(model);
  if (values) expanded.graph.outputs = values.map((name) => ({ name }));
  const session = await runtime.InferenceSession.create(writeOnnx(expanded).bytes, OPTIONS);
  return {
    run: async (sample) => {
      const feeds = [...sample].map(([name, tensor]) => [name, toOnnx(runtime, tensor)] as const);
      const results = await session.run(Object.fromEntries(feeds));
      return new Map(Object.entries(results).map(([name, tensor]) => [name, fromOnnx(tensor)]));
    },
    close: () => session.release(),
  };
}

async function importOnnxRuntime(): Promise<typeof OnnxRuntime> {
  // Set before it loads: nothing that we load phones home.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  try {
    const { default: runtime } = (await import('onnxruntime-node')) as unknown as {
      default: typeof OnnxRuntime;
    };
    return runtime;
  } catch (cause) {
    throw new UsageError(
      `onnxruntime-node does not load: ${(cause as Error).message}`,
      "It runs the original and calibrates: 'npm install onnxruntime-node'.",
    );
  }
}

function toOnnx(runtime: typeof OnnxRuntime, tensor: Tensor): OnnxRuntime.Tensor {
  if (tensor.kind !== 'dense' || tensor.dtype !== 'float32')
    throw new UsageError('models that take something else than floats cannot be optimized yet.');
  return new runtime.Tensor('float32', typedData({ ...tensor, dtype: tensor.dtype }), tensor.dims);
}

function fromOnnx({ type, data, dims }: OnnxRuntime.Tensor): Tensor {
  if (data instanceof Float32Array) return denseTensor('float32', dims, data);
  if (data instanceof Uint8Array && type === 'uint8') return denseTensor('uint8', dims, data);
  if (data instanceof Int8Array && type === 'int8') return denseTensor('int8', dims, data);
  throw new UsageError(`tensors of ${type} cannot be compared.`);
}
