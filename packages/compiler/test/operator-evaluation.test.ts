import { describeWithAssets, worstDifference } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { readOnnx, type Graph, type Model, type Node, type Shape, type Tensor } from '../src/index.ts';
import {
  evaluateModel,
  findOperator,
  inferTypes,
  opsetVersion,
  tensorNumbers,
  type OpDefinition,
} from '../src/ops/index.ts';
import { BACKEND_ARCHIVE, readBackendCases, readValue, type BackendCase } from './backend-cases.ts';

/** The vectors come from float32 numpy code; the evaluator sums in double precision. */
const TOLERANCE = { abs: 1e-6, rel: 1e-4 };
/** Functions written out as many float16 operators round at every step. */
const HALF_TOLERANCE = { abs: 1e-3, rel: 2e-3 };

/** Cases whose operators all have an evaluation, but which are not expected to pass, and why. */
const EXCEPTIONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/float8|FLOAT8|FLOAT4|float4|e4m3|e5m2/i, 'the evaluator has no 8-bit and 4-bit floats'],
  [/_equal_string|identity_opt|identity_sequence/, 'the evaluator has numeric tensors only'],
  [/training_dropout/, 'inference only: dropout in training mode is refused'],
  [/einsum_batch_diagonal/, 'equations with an ellipsis are refused'],
  [/resize_.*antialias|resize_tf_crop/, 'antialias and tf_crop_and_resize are refused'],
  [
    /resize_downsample_scales_(cubic|linear)_align_corners/,
    'onnxruntime uses the rounded extent, and so do we',
  ],
  [/averagepool_2d_ceil_last_window/, 'the expected values have four decimals'],
  [/qlinearmatmul_[23]D_int8_float/, 'the expected values wrap around; onnxruntime and we saturate'],
  [
    /attention_[34]d_gqa(?!.*expanded)/,
    'ONNX 1.19 repeated the key heads as blocks; corrected in a later release',
  ],
  [
    /attention_4d_with_past_and_present_qk_matmul_bias_[34]d_mask_causal$/,
    'ONNX 1.19 ignored the past; corrected later',
  ],
  [/rotary_embedding_.*rotary_dim$/, 'the caches of ONNX 1.19 are wider than half of the rotated dims'],
];

/** Models of the archive whose operators all have an evaluation, less the exceptions. */
const PASSING = 1257;

interface Summary {
  passed: number;
  readonly failures: string[];
  readonly wrongTypes: string[];
}

describeWithAssets('operators on the ONNX backend tests', BACKEND_ARCHIVE, () => {
  it('agree with the expected outputs, and inferred types never contradict them', async () => {
    const summary: Summary = { passed: 0, failures: [], wrongTypes: [] };
    const cases = await readBackendCases();
    const stale = EXCEPTIONS.filter(([pattern]) => ![...cases.keys()].some((path) => pattern.test(path)));
    expect(stale).toEqual([]);
    for (const [path, backendCase] of cases) {
      if (EXCEPTIONS.some(([pattern]) => pattern.test(path))) continue;
      const model = readModel(backendCase.model);
      if (model === undefined || !isKnown(model, model.graph)) continue;
      checkTypes(path, model, backendCase, summary);
      if (isEvaluable(model, model.graph)) runCase(path, model, backendCase, summary);
    }
    expect(summary.failures).toEqual([]);
    expect(summary.wrongTypes).toEqual([]);
    expect(summary.passed).toBeGreaterThanOrEqual(PASSING);
  }, 120_000);
});

function readModel(bytes: Uint8Array): Model | undefined {
  try {
    return readOnnx(bytes);
  } catch {
    return undefined; // reading is tested elsewhere
  }
}

function isEvaluable(model: Model, graph: Graph): boolean {
  return everyOperator(model, graph, (operator) => operator?.evaluate !== undefined);
}

function isKnown(model: Model, graph: Graph): boolean {
  return everyOperator(model, graph, (operator) => operator !== undefined);
}

function everyOperator(
  model: Model,
  graph: Graph,
  test: (operator: OpDefinition | undefined) => boolean,
): boolean {
  return graph.nodes.every((node) => {
    const operator = findOperator(node.domain, node.opType, opsetVersion(model.opsets, node.domain));
    return test(operator) && subgraphs(node).every((inner) => everyOperator(model, inner, test));
  });
}

function subgraphs(node: Node): Graph[] {
  return [...node.attributes.values()].flatMap((attribute) =>
    attribute.kind === 'graph' ? [attribute.value] : [],
  );
}

function feedsOf(model: Model, { inputs }: BackendCase): Map<string, Tensor> {
  return new Map(inputs.map((bytes, index) => [model.graph.inputs[index]?.name ?? '', readValue(bytes)]));
}

function checkTypes(path: string, model: Model, backendCase: BackendCase, summary: Summary): void {
  if (!model.graph.outputs.every(({ type }) => type?.kind === 'tensor')) return;
  const expected = backendCase.outputs.map(readValue);
  summary.wrongTypes.push(...contradictions(path, model, feedsOf(model, backendCase), expected));
}

function runCase(path: string, model: Model, backendCase: BackendCase, summary: Summary): void {
  try {
    const results = evaluateModel(model, feedsOf(model, backendCase));
    const expected = backendCase.outputs.map(readValue);
    const problem = model.graph.outputs
      .map(({ name }, index) => difference(results.get(name), expected[index]))
      .find((found) => found !== undefined);
    if (problem === undefined) summary.passed += 1;
    else summary.failures.push(`${path}: ${problem}`);
  } catch (error) {
    summary.failures.push(`${path}: ${(error as Error).message}`);
  }
}

function difference(actual: Tensor | undefined, expected: Tensor | undefined): string | undefined {
  if (actual === undefined || expected === undefined) return 'an output is missing';
  if (actual.dtype !== expected.dtype || actual.dims.join() !== expected.dims.join()) {
    return `${actual.dtype} [${actual.dims.join()}] instead of ${expected.dtype} [${expected.dims.join()}]`;
  }
  const tolerance = expected.dtype === 'float16' ? HALF_TOLERANCE : TOLERANCE;
  const worst = worstDifference(tensorNumbers(actual), tensorNumbers(expected), tolerance);
  return worst && worst.failing > 0 ? JSON.stringify(worst) : undefined;
}

/** Types are inferred from the inputs' real shapes alone: what the model declares is taken away. */
function contradictions(
  path: string,
  model: Model,
  feeds: ReadonlyMap<string, Tensor>,
  expected: readonly Tensor[],
): string[] {
  const { graph } = model;
  const bare: Model = {
    ...model,
    graph: { ...graph, valueInfo: new Map(), outputs: graph.outputs.map(({ name }) => ({ name })) },
  };
  const inputShapes = new Map<string, Shape>([...feeds].map(([name, tensor]) => [name, tensor.dims]));
  const { types } = inferTypes(bare, { inputShapes });
  return graph.outputs.flatMap(({ name }, index) => {
    const [type, real] = [types.get(name), expected[index]];
    if (type === undefined || real === undefined) return [`${path}: the type of ${name} is not known`];
    const fits =
      type.dtype === real.dtype &&
      (type.shape === undefined ||
        (type.shape.length === real.dims.length &&
          type.shape.every((dim, axis) => typeof dim !== 'number' || dim === real.dims[axis])));
    return fits
      ? []
      : [`${path}: ${name} is inferred as ${JSON.stringify(type)}, really [${real.dims.join()}]`];
  });
}
