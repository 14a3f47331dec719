import type { Model, TensorType } from '../ir/index.ts';

/** Types of the main graph's values, declared and inferred. */
export function valueTypes(model: Model): ReadonlyMap<string, TensorType> {
  const types = new Map<string, TensorType>();
  const { inputs, outputs, valueInfo, initializers } = model.graph;
  for (const { name, type } of [...inputs, ...outputs, ...valueInfo.values()])
    if (type?.kind === 'tensor') types.set(name, type);
  for (const [name, { dtype, dims }] of initializers) types.set(name, { kind: 'tensor', dtype, shape: dims });
  return types;
}
