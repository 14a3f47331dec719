import type { Dim } from '../ir/index.ts';
import { broadcastDims, broadcastIndex, sameDims } from './indexing.ts';
import { knownNumbers } from './inference.ts';
import { ndArray, type NdArray } from './nd-array.ts';
import type { InferContext, OpDefinition } from './op-definition.ts';
import type { PartialValue } from './partial-value.ts';

/** Applies a rule on dims element by element, with broadcasting; nothing is known when an input is not followed. */
export function propagateElementwise(
  context: InferContext,
  rule: (elements: readonly Dim[]) => Dim,
  dtype?: PartialValue['dtype'],
): readonly (PartialValue | undefined)[] {
  const values = context.node.inputs.map((_, index) => context.values[index]);
  if (values.some((value) => value === undefined)) return [undefined];
  const known = values as readonly PartialValue[];
  const dims = broadcastDims(...known.map((value) => value.dims));
  const indices = known.map((value) =>
    sameDims(value.dims, dims) ? undefined : broadcastIndex(value.dims, dims),
  );
  const count = dims.reduce((product, dim) => product * dim, 1);
  const elements = Array.from({ length: count }, (_, i) =>
    rule(known.map((value, input) => value.elements[indices[input]?.[i] ?? i] ?? null)),
  );
  return [{ dtype: dtype ?? (known[0] as PartialValue).dtype, dims, elements }];
}

/**
 * For operators that only move elements: runs the evaluation on tickets instead of numbers and reads back which
 * element went where. The inputs that say where must be fully known.
 */
export function propagateMoves(
  definition: OpDefinition,
  context: InferContext,
  evaluate: (inputs: readonly (NdArray | undefined)[]) => ReturnType<NonNullable<OpDefinition['evaluate']>>,
): readonly (PartialValue | undefined)[] {
  const tickets: Dim[] = [];
  const inputs: (NdArray | undefined)[] = [];
  const moved = new Set(movedInputs(definition, context));
  for (const [index, name] of context.node.inputs.entries()) {
    const value = context.values[index];
    if (name === '') inputs.push(undefined);
    else if (value === undefined) return [];
    else if (moved.has(index)) inputs.push(issueTickets(value, tickets));
    else {
      const numbers = knownNumbers(value);
      if (numbers === undefined) return [];
      inputs.push(ndArray('float64', value.dims, Float64Array.from(numbers)));
    }
  }
  const dtype = context.values[Math.min(...moved)]?.dtype;
  if (dtype === undefined) return [];
  return evaluate(inputs).map(({ dims, data }) => ({
    dtype,
    dims,
    elements: Array.from(data as Float64Array, (ticket) =>
      ticket === 0 ? 0 : (tickets[ticket - 1] ?? null),
    ),
  }));
}

/** An operator that moves all its inputs lists only the first when their number is open. */
function movedInputs(definition: OpDefinition, context: InferContext): readonly number[] {
  if (definition.inputs[1] === Infinity) return [...context.node.inputs.keys()];
  return definition.moves ?? [];
}

/** Ticket 0 is the zero that padding and filling bring in. */
function issueTickets(value: PartialValue, tickets: Dim[]): NdArray {
  const data = Float64Array.from(value.elements, (element) => {
    tickets.push(element);
    return tickets.length;
  });
  return ndArray('float64', value.dims, data);
}
