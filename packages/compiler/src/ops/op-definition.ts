import type { Dim, DimRange, Graph, Node, TensorType } from '../ir/index.ts';
import type { AttributeReader } from './attributes.ts';
import type { NdArray } from './nd-array.ts';
import type { PartialValue } from './partial-value.ts';

/** What inference, evaluation and cost of one node have in common. */
export interface NodeContext {
  readonly node: Node;
  /** Version of the node's domain that the model imports; behaviour that changed over time depends on it. */
  readonly opset: number;
  readonly attributes: AttributeReader;
}

export interface EvaluateContext extends NodeContext {
  /** By position; undefined where the optional input is omitted. */
  readonly inputs: readonly (NdArray | undefined)[];
  /** The input at this position; throws `CompilerError` when it is omitted. */
  readonly input: (index: number) => NdArray;
  /** Runs a subgraph that may read the enclosing values. */
  readonly runGraph: (graph: Graph, inputs: readonly NdArray[]) => readonly NdArray[];
}

export interface InferContext extends NodeContext {
  /** Input types by position; undefined where the input is omitted or its type is not known. */
  readonly types: readonly (TensorType | undefined)[];
  /** What is known of the elements of small integer, bool and float inputs (shapes, axes, indices). */
  readonly values: readonly (PartialValue | undefined)[];
  /** Infers a subgraph's outputs; `inputs` are the types of its declared inputs. */
  readonly inferGraph: (
    graph: Graph,
    inputs: readonly (TensorType | undefined)[],
  ) => readonly (TensorType | undefined)[];
  /** A symbol for an extent that depends on data; the same node always gets the same name. */
  readonly freshDim: (hint: string) => string;
  /** Limits of a dim as far as the caller gave bounds; null when they do not say. */
  readonly bound: (dim: Dim) => DimRange | null;
  /** Reports a contradiction in the model (inference goes on with what is known). */
  readonly problem: (message: string) => void;
}

export interface CostContext extends NodeContext {
  /** Types with numbers for dims; undefined where not known. */
  readonly inputs: readonly (NumericType | undefined)[];
  readonly outputs: readonly (NumericType | undefined)[];
}

export interface NumericType {
  readonly dtype: TensorType['dtype'];
  readonly dims: readonly number[];
}

/** What Edgewise knows about one operator. Shared code asks these properties; it never lists operator types. */
export interface OpDefinition {
  /** `''` is ai.onnx. */
  readonly domain: string;
  readonly opType: string;
  /** First version of the domain that has the operator. */
  readonly since: number;
  /** First version that no longer has it. */
  readonly until?: number;
  /** Least and largest number of inputs, omitted optional ones counted. */
  readonly inputs: readonly [number, number];
  /** Least and largest number of outputs. Default exactly one. */
  readonly outputs?: readonly [number, number];
  /** False: two runs may differ (random numbers). Default true. */
  readonly deterministic?: false;
  /** An output element depends only on the input elements that broadcast to its place. */
  readonly elementwise?: true;
  /** The first two inputs may be swapped. */
  readonly commutative?: true;
  /** Positions of the inputs whose elements reappear unchanged in the outputs; the other inputs only say where. */
  readonly moves?: readonly number[];
  /** Output types by position; undefined where nothing is known. */
  readonly infer: (context: InferContext) => readonly (TensorType | undefined)[];
  /** Elements of the outputs in terms of partly known inputs; needed only where `moves` and `evaluate` do not do. */
  readonly propagate?: (context: InferContext) => readonly (PartialValue | undefined)[];
  /** Reference results in the working form; the evaluator rounds them to the declared output type. */
  readonly evaluate?: (context: EvaluateContext) => readonly NdArray[];
  /** Multiply-accumulate operations of one run. Default 0. */
  readonly macs?: (context: CostContext) => number;
}
