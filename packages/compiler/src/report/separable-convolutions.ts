import type { Model, Shape } from '../ir/index.ts';
import { inferTypes, readAttributes } from '../ops/index.ts';

/** What one ordinary convolution costs, and what a depthwise and a pointwise one in its place would. */
export interface SeparableReport {
  /** Node name, or the name of its first output. */
  readonly node: string;
  readonly parameters: number;
  /** Multiply-accumulates of one run; null when the size of the output is not known. */
  readonly macs: number | null;
  readonly separableParameters: number;
  readonly separableMacs: number | null;
}

/**
 * Convolutions of one group with a kernel larger than 1, in order: kernel × in × out parameters. Depthwise separable they
 * have kernel × in + in × out (Howard et al. 2017, "MobileNets", section 3.1), and as many products at each position of
 * the output, where the original's stride is kept. A replacement has to be trained.
 * @param bindings values of symbolic dims
 */
export function separableConvolutions(
  model: Model,
  bindings: ReadonlyMap<string, number> = new Map(),
): readonly SeparableReport[] {
  const { types } = inferTypes(model);
  return model.graph.nodes.flatMap((node) => {
    const [, weight = ''] = node.inputs;
    const dims = types.get(weight)?.shape;
    if (node.opType !== 'Conv' || node.domain !== '' || readAttributes(node).int('group', 1) !== 1) return [];
    if (!isNumbers(dims)) return [];
    const [outputs = 0, inputs = 0, ...kernel] = dims;
    const taps = product(kernel);
    if (taps === 1) return [];
    const [output = ''] = node.outputs;
    const positions = positionsOf(types.get(output)?.shape, bindings);
    const parameters = taps * inputs * outputs;
    const separableParameters = taps * inputs + inputs * outputs;
    return [
      {
        node: node.name || output,
        parameters,
        macs: positions === null ? null : parameters * positions,
        separableParameters,
        separableMacs: positions === null ? null : separableParameters * positions,
      },
    ];
  });
}

/** Batch times the spatial sizes. */
function positionsOf(shape: Shape | undefined, bindings: ReadonlyMap<string, number>): number | null {
  if (shape === undefined) return null;
  const [batch, , ...spatial] = shape.map((dim) =>
    typeof dim === 'number' ? dim : bindings.get(String(dim)),
  );
  const sizes = [batch, ...spatial];
  return sizes.every((size) => size !== undefined) ? product(sizes) : null;
}

function isNumbers(shape: Shape | undefined): shape is readonly number[] {
  return shape !== undefined && shape.every((dim) => typeof dim === 'number');
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all * each, 1);
}
