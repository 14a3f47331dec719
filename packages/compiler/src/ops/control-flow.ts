import type { Dim, Graph, Shape, TensorType } from '../ir/index.ts';
import { concatenate } from './indexing.ts';
import { tensorType } from './inference.ts';
import { ndArray, type NdArray } from './nd-array.ts';
import type { InferContext, OpDefinition } from './op-definition.ts';

/** What two branches agree on. */
function commonType(a: TensorType | undefined, b: TensorType | undefined): TensorType | undefined {
  if (a === undefined || b === undefined || a.dtype !== b.dtype) return a ?? b;
  return tensorType(a.dtype, commonShape(a.shape, b.shape));
}

function commonShape(a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (a === undefined || b === undefined || a.length !== b.length) return undefined;
  return a.map((dim, axis): Dim => (dim === b[axis] ? dim : null));
}

const ifOp: OpDefinition = {
  domain: '',
  opType: 'If',
  since: 1,
  inputs: [1, 1],
  outputs: [1, Infinity],
  infer(context) {
    const [thenTypes, elseTypes] = [
      context.inferGraph(context.attributes.graph('then_branch'), []),
      context.inferGraph(context.attributes.graph('else_branch'), []),
    ];
    const condition = context.values[0]?.elements[0];
    if (typeof condition === 'number') return condition === 0 ? elseTypes : thenTypes;
    return thenTypes.map((type, index) => commonType(type, elseTypes[index]));
  },
  evaluate(context) {
    const branch = Number(context.input(0).data[0]) === 0 ? 'else_branch' : 'then_branch';
    return context.runGraph(context.attributes.graph(branch), []);
  },
};

/** Types that the loop's body turns into themselves: dims that change from turn to turn are unknown. */
function carriedTypes(context: InferContext, body: Graph): readonly (TensorType | undefined)[] {
  const initial = context.types.slice(2);
  const turn = (types: readonly (TensorType | undefined)[]): readonly (TensorType | undefined)[] =>
    context.inferGraph(body, [tensorType('int64', []), tensorType('bool', []), ...types]);
  const after = turn(initial);
  const stable = initial.map((type, index) => commonType(type, after[index + 1]));
  const results = turn(stable);
  const carried = stable.map((type, index) => commonType(type, results[index + 1]));
  const scanned = results
    .slice(1 + initial.length)
    .map((type) => tensorType(type?.dtype, type?.shape && [context.freshDim('turns'), ...type.shape]));
  return [...carried, ...scanned];
}

const loop: OpDefinition = {
  domain: '',
  opType: 'Loop',
  since: 1,
  inputs: [2, Infinity],
  outputs: [1, Infinity],
  infer: (context) => carriedTypes(context, context.attributes.graph('body')),
  evaluate(context) {
    const body = context.attributes.graph('body');
    const limit = context.inputs[0] ? Number(context.inputs[0].data[0]) : Infinity;
    let condition = context.inputs[1] ? Number(context.inputs[1].data[0]) !== 0 : true;
    let carried = context.node.inputs.slice(2).map((_, index) => context.input(index + 2));
    const scans: NdArray[][] = Array.from({ length: body.outputs.length - 1 - carried.length }, () => []);
    for (let turn = 0; turn < limit && condition; turn++) {
      const results = context.runGraph(body, [
        ndArray('int64', [], BigInt64Array.of(BigInt(turn))),
        ndArray('bool', [], Uint8Array.of(1)),
        ...carried,
      ]);
      condition = Number((results[0] as NdArray).data[0]) !== 0;
      carried = results.slice(1, 1 + carried.length);
      for (const [index, scan] of scans.entries())
        scan.push(withTurn(results[1 + carried.length + index] as NdArray));
    }
    return [
      ...carried,
      ...scans.map((scan) => (scan.length > 0 ? concatenate(scan, 0) : ndArray('float32', [0]))),
    ];
  },
};

function withTurn(array: NdArray): NdArray {
  return { ...array, dims: [1, ...array.dims] };
}

/** Operators whose bodies are graphs. */
export const controlFlowOps: readonly OpDefinition[] = [ifOp, loop];
