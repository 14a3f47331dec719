import {
  compactConvNet,
  edgeEncoder,
  inspectModel,
  int64Tensor,
  randomTensor,
  runPasses,
  type Model,
  type RunPassesOptions,
  type RunPassesResult,
  type Tensor,
  type Transform,
} from '@edgewise/compiler';
import { UsageError } from '../../command/usage-error.ts';
import { withoutUndefined } from '../../files/without-undefined.ts';
import { usualBindings, type OpenSizes } from '../../report/layer-costs.ts';
import { interruptibleEvaluator } from './interruptible-evaluator.ts';
import { onnxEvaluator, ONNXRUNTIME_NOISE } from './onnx-evaluator.ts';
import type { Sample } from './pipeline.ts';

export interface SimplifyOptions {
  /** Name of the last pass that runs; all without it. */
  readonly stopAfter: string | undefined;
  readonly sizes: OpenSizes;
  readonly signal: AbortSignal;
}

/** Tokens of the made-up input that passes are checked on; the last ones are padding. */
const SAMPLE_TOKENS = 10;
const PADDING = 2;

/** A model as `optimize` simplifies it before it quantizes, every pass checked on a made-up input where that is possible. */
export async function simplifyModel(
  model: Model,
  { stopAfter, sizes, signal }: SimplifyOptions,
): Promise<RunPassesResult> {
  const { passes, ...check } = isConvNet(model) ? convNetPasses(model, sizes) : encoderPasses(model);
  if (stopAfter !== undefined && !passes.some(({ name }) => name === stopAfter)) {
    const names = [...new Set(passes.map(({ name }) => name))].join(', ');
    throw new UsageError(`--stop-after: there is no pass '${stopAfter}'. The passes are ${names}.`);
  }
  return runPasses(model, passes, { ...withoutUndefined({ stopAfter }), ...check, signal });
}

type Checked = { readonly passes: readonly Transform[] } & Pick<
  RunPassesOptions,
  'samples' | 'evaluate' | 'noise'
>;

function isConvNet({ graph }: Model): boolean {
  return graph.nodes.some(({ opType }) => opType === 'Conv' || opType === 'QLinearConv');
}

function encoderPasses(model: Model): Checked {
  const sample = madeUpTokens(model);
  const check = sample && { samples: [sample], evaluate: interruptibleEvaluator() };
  return { passes: edgeEncoder(), ...check };
}

function convNetPasses(model: Model, sizes: OpenSizes): Checked {
  const bindings = usualBindings(model, sizes);
  const dims = Object.fromEntries(bindings);
  const sample = noise(model, bindings);
  const check = sample && { samples: [sample], evaluate: onnxEvaluator(), noise: ONNXRUNTIME_NOISE };
  return { passes: compactConvNet({ dims }), ...check };
}

/** Undefined for a model with other inputs than floats. */
function noise(model: Model, bindings: ReadonlyMap<string, number>): Sample | undefined {
  const { inputs } = inspectModel(model);
  if (!inputs.every(({ dtype, shape }) => dtype === 'float32' && shape)) return undefined;
  return new Map(
    inputs.map(({ name, shape = [] }, seed) => {
      const dims = shape.map((dim) => (typeof dim === 'number' ? dim : (bindings.get(String(dim)) ?? 1)));
      return [name, randomTensor('float32', dims, seed + 1)];
    }),
  );
}

/** Undefined for a model with other inputs than a text encoder's. */
function madeUpTokens(model: Model): ReadonlyMap<string, Tensor> | undefined {
  const rows = Array.from({ length: SAMPLE_TOKENS }, (_, row) => row);
  const known: Readonly<Record<string, number[]>> = {
    input_ids: rows.map((row) => 2 + row),
    attention_mask: rows.map((row) => Number(row < SAMPLE_TOKENS - PADDING)),
    token_type_ids: rows.map(() => 0),
  };
  const inputs = model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name));
  if (!inputs.every(({ name }) => name in known)) return undefined;
  return new Map(inputs.map(({ name }) => [name, int64Tensor([1, SAMPLE_TOKENS], known[name] ?? [])]));
}
