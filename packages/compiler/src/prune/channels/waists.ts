import { cloneModel, type Model } from '../../ir/index.ts';
import { inferTypes } from '../../ops/index.ts';
import { capturedNames } from '../../rewrite/index.ts';

/** Values, in order, that everything behind them is computed from: nothing made before them is read again or is an output. */
export function waistsOf({ graph }: Model): string[] {
  const lastUse = new Map<string, number>();
  for (const [at, node] of graph.nodes.entries())
    for (const value of [...node.inputs, ...capturedNames(node)]) lastUse.set(value, at);
  for (const { name } of graph.outputs) lastUse.set(name, graph.nodes.length);
  const lastUseOf = (values: readonly string[]): number =>
    Math.max(-1, ...values.map((value) => lastUse.get(value) ?? -1));
  let furthest = lastUseOf(graph.inputs.map(({ name }) => name));
  return graph.nodes.flatMap(({ outputs }, at) => {
    const isWaist = outputs.length === 1 && furthest <= at;
    furthest = Math.max(furthest, lastUseOf(outputs));
    return isWaist ? outputs : [];
  });
}

/** What a model computes from a waist of it, which becomes the only input. */
export function behindWaist(model: Model, waist: string): Model {
  const type = inferTypes(model).types.get(waist)!;
  const copy = cloneModel(model);
  const { graph } = copy;
  const known = new Set(['', waist, ...graph.initializers.keys()]);
  graph.inputs = [{ name: waist, type }];
  graph.nodes = graph.nodes.filter(({ inputs, outputs }) => {
    const isBehind = !outputs.includes(waist) && inputs.every((value) => known.has(value));
    if (isBehind) for (const output of outputs) known.add(output);
    return isBehind;
  });
  graph.outputs = graph.outputs.filter(({ name }) => known.has(name));
  return copy;
}
