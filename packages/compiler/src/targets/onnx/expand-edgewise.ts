import { CompilerError, type Diagnostic } from '../../diagnostics/index.ts';
import { cloneModel, type Graph, type Model, type Node } from '../../ir/index.ts';
import { rewriteGraph, subgraphsOf } from '../../rewrite/index.ts';
import { stringAttribute } from '../../transforms/node-attributes.ts';
import { expandGelu } from './expand-activation.ts';
import { expandAttention } from './expand-attention.ts';
import { expandConv } from './expand-conv.ts';
import { expandEmbedLayerNorm } from './expand-embed-layer-norm.ts';
import { expandAddLayerNorm, expandLayerNorm } from './expand-layer-norm.ts';
import { expandLinear, expandQuantizedLinear } from './expand-linear.ts';
import { Expansion, MICROSOFT_DOMAIN, type ExpansionOptions } from './expansion.ts';

export interface ExpandEdgewiseOptions {
  /** Least version of ai.onnx to write for, at least 17 (LayerNormalization); a newer model keeps its own. Default 17. */
  readonly opset?: number;
  /** Use operators of com.microsoft where onnxruntime runs them faster (Gelu, MultiHeadAttention). Default true. */
  readonly contrib?: boolean;
}

export const EXPAND_EDGEWISE_DEFAULTS: Required<ExpandEdgewiseOptions> = { opset: 17, contrib: true };

/** `TensorProto.DataType` of int32. */
const ONNX_INT32 = 6n;

/** Expands one node; returns the name of the value that takes the place of its output. */
type Expander = (e: Expansion) => string;

const EXPANDERS: Readonly<Record<string, Expander>> = {
  AddLayerNorm: expandAddLayerNorm,
  Attention: expandAttention,
  Conv: expandConv,
  EmbedLayerNorm: expandEmbedLayerNorm,
  Gelu: (e) => expandGelu(e, stringAttribute(e.node, 'approximate', 'none'), e.required(0)),
  LayerNorm: expandLayerNorm,
  Linear: expandLinear,
  MapBytes: expandMapBytes,
  QuantizedLinear: expandQuantizedLinear,
};

/** A byte is the index of what it becomes. */
function expandMapBytes(e: Expansion): string {
  const index = e.add('index', 'Cast', [e.required(0)], { to: ONNX_INT32 });
  return e.add('mapped', 'Gather', [e.required(1), index]);
}

/**
 * A copy of the model in which standard ONNX operators stand for those of the edgewise domain, so that onnxruntime and
 * other tools run it. Float graphs give the same numbers up to rounding; dynamically quantized layers take one
 * activation range per tensor instead of one per row, since ONNX has no per-row form. Weights stored in 4 bits become int8.
 * @throws CompilerError `bad-option` for an opset below 17; `unsupported`, with all reasons as diagnostics, for operators
 * without an expansion and for nodes whose meaning changed between the model's opset and the one written.
 */
export function expandEdgewise(model: Model, options: ExpandEdgewiseOptions = {}): Model {
  const { opset: least, contrib } = { ...EXPAND_EDGEWISE_DEFAULTS, ...options };
  if (!Number.isInteger(least) || least < 17)
    throw new CompilerError('bad-option', `expandEdgewise: opset must be 17 or more, got ${least}`);
  const present = model.opsets.get('') ?? least;
  const opset = Math.max(least, present);
  refuseWhatCannotBeWritten(model, present, opset);

  const expanded = cloneModel(model);
  const expansionOptions: ExpansionOptions = { opset, contrib };
  rewriteGraph(expanded.graph, [
    {
      name: 'expand-edgewise',
      operators: Object.keys(EXPANDERS).map((opType) => `edgewise.${opType}`),
      match: (node, index) => {
        const expansion = new Expansion(node, index, expansionOptions);
        const expand = EXPANDERS[node.opType];
        return expand && expansion.finish(expand(expansion));
      },
    },
  ]);
  expanded.opsets.delete('edgewise');
  expanded.opsets.set('', opset);
  if (allNodes(expanded.graph).some(({ domain }) => domain === MICROSOFT_DOMAIN))
    expanded.opsets.set(MICROSOFT_DOMAIN, 1);
  return { ...expanded, irVersion: Math.max(expanded.irVersion, 8) };
}

/** Operators whose attributes became inputs, or whose defaults changed, with the version that did it. */
const CHANGES: readonly { readonly since: number; readonly operators: readonly string[] }[] = [
  {
    since: 13,
    operators: ['Squeeze', 'Unsqueeze', 'ReduceSum', 'Split', 'Softmax', 'LogSoftmax', 'Hardmax'],
  },
  {
    since: 18,
    operators: [
      'ReduceL1',
      'ReduceL2',
      'ReduceLogSum',
      'ReduceLogSumExp',
      'ReduceMax',
      'ReduceMean',
      'ReduceMin',
      'ReduceProd',
      'ReduceSumSquare',
    ],
  },
];

function refuseWhatCannotBeWritten({ graph }: Model, present: number, opset: number): void {
  const problems = allNodes(graph).flatMap((node) => problemOf(node, present, opset) ?? []);
  const [first] = problems;
  if (first === undefined) return;
  throw new CompilerError('unsupported', `the model cannot be written as ONNX: ${first.message}`, {
    diagnostics: problems,
    ...(first.at !== undefined && { at: first.at }),
    hint: 'export the model again with opset 17 or newer',
  });
}

/** The graph's nodes and those of all subgraphs in it. */
function allNodes(graph: Graph): Node[] {
  return graph.nodes.flatMap((node) => [node, ...subgraphsOf(node).flatMap(allNodes)]);
}

function problemOf(node: Node, present: number, opset: number): Diagnostic | undefined {
  const at = { node: node.name || node.opType };
  if (node.domain === 'edgewise' && !(node.opType in EXPANDERS))
    return {
      severity: 'error',
      code: 'unsupported-op',
      message: `edgewise.${node.opType} has no expansion`,
      at,
    };
  const change = CHANGES.find(
    ({ since, operators }) => present < since && since <= opset && operators.includes(node.opType),
  );
  if (change === undefined || node.domain !== '') return undefined;
  return {
    severity: 'error',
    code: 'opset-change',
    message: `${node.opType} means something else from opset ${change.since} on, and the model has ${present}`,
    at,
  };
}
