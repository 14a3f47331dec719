import type { DataType } from './data-type.ts';
import type { Shape } from './dim.ts';
import type { SparseTensor, StringTensor, DenseTensor, Tensor } from './tensor.ts';

/** Element type and shape of a tensor value; `shape` undefined means that even the rank is unknown. */
export interface TensorType {
  readonly kind: 'tensor' | 'sparse-tensor';
  readonly dtype: DataType;
  readonly shape?: Shape;
}

export type ValueType =
  | TensorType
  | { readonly kind: 'sequence' | 'optional'; readonly element: ValueType }
  | { readonly kind: 'map'; readonly key: DataType; readonly value: ValueType };

export interface ValueInfo {
  readonly name: string;
  readonly type?: ValueType;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** Attribute values by kind; the kinds are ONNX `AttributeProto.AttributeType`. */
export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: Uint8Array }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'sparse-tensor'; readonly value: SparseTensor }
  | { readonly kind: 'type'; readonly value: ValueType }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly bigint[] }
  | { readonly kind: 'strings'; readonly value: readonly Uint8Array[] }
  | { readonly kind: 'tensors'; readonly value: readonly (DenseTensor | StringTensor)[] }
  | { readonly kind: 'graphs'; readonly value: readonly Graph[] }
  | { readonly kind: 'sparse-tensors'; readonly value: readonly SparseTensor[] }
  | { readonly kind: 'types'; readonly value: readonly ValueType[] }
  /** Inside a function body: takes the value of the function's attribute of that name. */
  | { readonly kind: 'reference'; readonly type: string; readonly name: string };

/** One operation. Nodes are plain data and are replaced, not edited in place: `{...node, inputs}`. */
export interface Node {
  /** May be empty: ONNX does not require names. */
  readonly name: string;
  readonly opType: string;
  /** `''` is ai.onnx; ours is `edgewise` (ops/edgewise documents its operators). */
  readonly domain: string;
  /** Value names; `''` marks an omitted optional input. */
  readonly inputs: readonly string[];
  /** Value names; `''` marks an output nobody wants. */
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly overload?: string;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

/**
 * A graph in SSA form: every value name is defined once, by an input, an initializer or a node output.
 * Nodes are in topological order. Subgraphs (If, Loop, Scan bodies) may read names of enclosing graphs.
 */
export interface Graph {
  name: string;
  doc?: string;
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  nodes: Node[];
  /** Constant tensors by value name, in file order. */
  initializers: Map<string, Tensor>;
  /** Declared or inferred types of inner values. */
  valueInfo: Map<string, ValueInfo>;
  quantizationAnnotations?: readonly QuantizationAnnotation[];
  metadata?: ReadonlyMap<string, string>;
}

export interface QuantizationAnnotation {
  readonly tensor: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** ONNX `FunctionProto`: a model-local operator whose body is a graph without types. */
export interface ModelFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly string[];
  readonly attributeDefaults: ReadonlyMap<string, Attribute>;
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
  readonly valueInfo?: readonly ValueInfo[];
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

export interface Model {
  irVersion: number;
  /** Operator set version by domain; `''` is ai.onnx. */
  opsets: Map<string, number>;
  producer: { name: string; version: string };
  domain: string;
  modelVersion: bigint;
  doc?: string;
  metadata: Map<string, string>;
  graph: Graph;
  functions: ModelFunction[];
}
