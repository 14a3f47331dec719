import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { writeOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, typedData, type Model, type Tensor, type TypedArray } from '../src/ir/index.ts';

/** Runs a model in onnxruntime, unoptimised, so that it runs the operators that the model says. One thread. */
export async function runOnnx(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, OrtTensor>>,
): Promise<InferenceSession.OnnxValueMapType> {
  const session = await InferenceSession.create(bytes, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  try {
    return await session.run(inputs);
  } finally {
    await session.release();
  }
}

/** An evaluator for `runPasses` on top of `runOnnx`, for float32, int64 and bool. */
export async function evaluateInOnnxruntime(
  model: Model,
  inputs: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor>> {
  const feeds = [...inputs].map(([name, tensor]) => [name, toOrt(tensor)] as const);
  const results = await runOnnx(writeOnnx(model).bytes, Object.fromEntries(feeds));
  return new Map(Object.entries(results).map(([name, value]) => [name, fromOrt(value)]));
}

function toOrt(tensor: Tensor): OrtTensor {
  if (tensor.kind !== 'dense') throw new Error('expected a dense tensor');
  const { dtype, dims } = tensor;
  if (dtype === 'float32') return new OrtTensor(dtype, typedData({ ...tensor, dtype }), dims);
  if (dtype === 'int64') return new OrtTensor(dtype, typedData({ ...tensor, dtype }), dims);
  if (dtype === 'bool') return new OrtTensor(dtype, typedData({ ...tensor, dtype }), dims);
  throw new Error(`no ${dtype} inputs here`);
}

function fromOrt(value: InferenceSession.OnnxValueMapType[string]): Tensor {
  if (!('data' in value) || (value.type !== 'float32' && value.type !== 'int64' && value.type !== 'bool'))
    throw new Error('expected a float32, int64 or bool tensor');
  return denseTensor(value.type, value.dims, value.data as TypedArray);
}
