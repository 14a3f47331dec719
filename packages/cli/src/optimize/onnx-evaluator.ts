import {
  buildPackage,
  expandEdgewise,
  float32Tensor,
  typedData,
  writeOnnx,
  type Evaluator,
  type Model,
  type Tensor,
} from '@edgewise/compiler';
import { createSession, type Feeds, type Session } from '@edgewise/runtime/node';
import { sha256 } from '../files/hash.ts';
import type { Sample } from './pipeline.ts';

const ONNX_FILE = 'model.onnx';

/**
 * onnxruntime fuses by itself what a pass has not fused yet. Measured on the networks of the tests: up to 3e-5 at outputs of
 * about 10; a wrong rewrite changes them by far more than this.
 */
export const ONNXRUNTIME_NOISE = { absolute: 1e-3, relative: 1e-3 };

/** Runs models with onnxruntime, our own operators written out: quicker by far than the reference evaluator. */
export function onnxEvaluator(): Evaluator {
  return async (model, sample) => {
    const session = await openOnnx(model);
    try {
      return await runOnnx(session, sample);
    } finally {
      session.dispose();
    }
  };
}

/** A session of the model, or of its inner values by name. */
export async function openOnnx(model: Model, values?: readonly string[]): Promise<Session> {
  const expanded = expandEdgewise(model);
  if (values)
    expanded.graph.outputs = values.map((name) => ({ name, type: { kind: 'tensor', dtype: 'float32' } }));
  const files = await buildPackage({
    description: { name: 'evaluated', task: 'evaluation' },
    model: { kind: 'onnx', file: ONNX_FILE },
    files: new Map([[ONNX_FILE, writeOnnx(expanded).bytes]]),
    sha256,
  });
  return createSession(files);
}

/** Outputs by name; those that are not float32 are left out. */
export async function runOnnx(session: Session, sample: Sample): Promise<Map<string, Tensor>> {
  const outputs = await session.run(feedsOf(sample));
  return new Map(
    Object.entries(outputs).flatMap(([name, { shape, data }]) =>
      data instanceof Float32Array ? [[name, float32Tensor(shape, data)]] : [],
    ),
  );
}

function feedsOf(sample: Sample): Feeds {
  return Object.fromEntries(
    [...sample].flatMap(([name, tensor]) =>
      tensor.kind === 'dense' && tensor.dtype === 'float32'
        ? [[name, typedData({ ...tensor, dtype: tensor.dtype })]]
        : [],
    ),
  );
}
