import { CompilerError } from '../diagnostics/index.ts';
import { byteLengthOf, type Node, type Tensor } from '../ir/index.ts';
import { evaluateNode } from '../ops/index.ts';
import {
  constantOf,
  LOSSLESS,
  subgraphsOf,
  type Edit,
  type GraphView,
  type Transform,
} from '../rewrite/index.ts';
import { ruleTransform, type RuleContext } from './rule-transform.ts';

export interface FoldConstantsOptions {
  /**
   * A result larger than this stays a computation, unless it is no larger than the constants that it makes superfluous
   * (a transposed weight that nothing else reads). Default 64 KiB: shapes, ranges and masks fold, while an `Expand` or
   * the second layout of a tied embedding, which would swell the file, does not.
   */
  readonly maxBytes?: number;
}

export const FOLD_CONSTANTS_DEFAULTS: Required<FoldConstantsOptions> = { maxBytes: 64 * 1024 };

/**
 * Turns `Constant` nodes into initializers and replaces nodes that read only constants by what they compute on the
 * reference evaluator. Nodes without evaluation, random ones and those that fail stay. Nothing reaches graph outputs.
 */
export function foldConstants(options: FoldConstantsOptions = {}): Transform {
  const { maxBytes } = { ...FOLD_CONSTANTS_DEFAULTS, ...options };
  if (!(maxBytes >= 0))
    throw new CompilerError('bad-option', `foldConstants: maxBytes must be 0 or more, got ${maxBytes}`);
  return ruleTransform({
    name: 'foldConstants',
    description: 'compute what depends on constants only',
    tolerance: LOSSLESS,
    rules: (context) => [
      { name: 'Constant', operators: ['Constant'], match: matchConstant },
      {
        name: 'computed',
        operators: ['*'],
        match: (node, graph) => matchComputed(node, graph, context, maxBytes),
      },
    ],
  });
}

function matchConstant(node: Node, graph: GraphView): Edit | undefined {
  const [name = ''] = node.outputs;
  const tensor = constantOf(node);
  if (tensor === undefined || graph.isOutput(name)) return undefined;
  return { reason: 'Constant node', remove: [node], initializers: new Map([[name, tensor]]) };
}

function matchComputed(
  node: Node,
  graph: GraphView,
  { model, typeOf }: RuleContext,
  maxBytes: number,
): Edit | undefined {
  if (node.inputs.length === 0 && node.opType !== 'Range') return undefined;
  if (subgraphsOf(node).length > 0 || node.outputs.some((output) => graph.isOutput(output))) return undefined;
  const inputs = node.inputs.map((name) => (name === '' ? undefined : graph.constant(name)));
  if (inputs.some((tensor, slot) => tensor === undefined && node.inputs[slot] !== '')) return undefined;
  const freedBytes = inputs
    .filter((_, slot) => graph.useCount(node.inputs[slot] ?? '') === 1)
    .reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  // Asked before computing: a hostile shape must not allocate.
  const outputBytes = node.outputs.map((output) => expectedBytes(typeOf(output)));
  if (!outputBytes.every((bytes) => bytes <= Math.max(maxBytes, freedBytes))) return undefined;
  const results = tryEvaluate(node, inputs, model.opsets);
  if (results === undefined) return undefined;
  const initializers = new Map<string, Tensor>();
  for (const [slot, output] of node.outputs.entries()) {
    const tensor = results[slot];
    if (output !== '' && tensor === undefined) return undefined;
    if (output !== '' && tensor !== undefined) initializers.set(output, tensor);
  }
  return { reason: `${node.opType} of constants`, remove: [node], initializers };
}

function tryEvaluate(
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  opsets: ReadonlyMap<string, number>,
): readonly Tensor[] | undefined {
  try {
    return evaluateNode(opsets, node, inputs);
  } catch (error) {
    // The node is wrong, or reads what the evaluator cannot: running the model will say so.
    if (error instanceof CompilerError) return undefined;
    throw error;
  }
}

function bytesOf(tensor: Tensor | undefined): number {
  return tensor?.kind === 'dense' ? tensor.data.byteLength : 0;
}

function expectedBytes(type: ReturnType<RuleContext['typeOf']>): number {
  if (type?.shape === undefined || type.dtype === 'string') return Infinity;
  const elements = type.shape.reduce<number>(
    (product, dim) => (typeof dim === 'number' ? product * dim : Infinity),
    1,
  );
  return byteLengthOf(type.dtype, elements);
}
