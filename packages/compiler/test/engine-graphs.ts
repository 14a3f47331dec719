import { createSession } from '@edgewise/runtime/node';
import { seededRandom } from '@edgewise/test-utils';
import { expect } from 'vitest';
import { denseTensor, parseModel, typedData, type DenseTensor, type Model } from '../src/ir/index.ts';
import { buildPackage, compileEdge } from '../src/targets/index.ts';
import { runOnnx } from './onnxruntime.ts';

// Graphs as text, run on the engine and in onnxruntime.

export interface Output {
  readonly dims: readonly number[];
  readonly data: Float32Array | Int32Array;
}

type Feeds = ReadonlyMap<string, DenseTensor>;

/** A model of a graph's lines, its nodes named after their outputs. */
export function parseGraph(body: string): Model {
  const model = parseModel(
    `ir 8\nopset ai.onnx 18\nopset com.microsoft 1\nopset edgewise 1\n\ngraph main {${body}\n}`,
  );
  model.graph.nodes = model.graph.nodes.map((node) => ({ ...node, name: node.outputs[0]! }));
  return model;
}

/** Normal values for all inputs, always the same. */
export function noiseFor({ graph }: Model): Map<string, DenseTensor> {
  const random = seededRandom(3);
  return new Map(
    graph.inputs.map(({ name, type }) => {
      const shape = type?.kind === 'tensor' ? (type.shape as number[]) : [];
      const count = shape.reduce((product, dim) => product * dim, 1);
      return [name, denseTensor('float32', shape, random.normal(count))];
    }),
  );
}

/** The outputs that onnxruntime gives with all its optimizations; whole numbers as int32. */
export async function onnxOutputs(onnx: Uint8Array, feeds: Feeds): Promise<Map<string, Output>> {
  const outcome = await runOnnx(onnx, feeds, { graphOptimizationLevel: 'all' });
  if ('failure' in outcome) throw new Error(outcome.failure);
  return new Map(
    Object.entries(outcome.outputs).map(([name, { type, dims, data }]) => [
      name,
      {
        dims,
        data: type === 'float32' ? (data as Float32Array) : Int32Array.from(data as BigInt64Array, Number),
      },
    ]),
  );
}

/** The outputs of the engine; they are the same on both rungs and with several threads. */
export async function engineOutputs(compact: Model, feeds: Feeds): Promise<Map<string, Output>> {
  const { model, files } = compileEdge(compact);
  const packaged = await buildPackage({ description: { name: 'test', task: 'test' }, model, files });
  const inputs = Object.fromEntries(
    [...feeds].map(([name, tensor]) => [name, typedData(tensor) as Float32Array]),
  );
  const runs: Map<string, Output>[] = [];
  for (const options of [
    { rung: 'simd', threads: 1 },
    { rung: 'relaxed', threads: 3 },
  ] as const) {
    const session = await createSession(packaged, options);
    const results = Object.entries(await session.run(inputs));
    session.dispose();
    runs.push(new Map(results.map(([name, { shape, data }]) => [name, { dims: shape, data }])));
  }
  expect(runs[1]).toEqual(runs[0]);
  return runs[0]!;
}
