import type { Graph, Model, TensorType } from '../ir/index.ts';
import { EDGEWISE_DOMAIN, inferTypes, type PartialValue } from '../ops/index.ts';
import {
  defineTransform,
  rewriteGraph,
  subgraphsOf,
  type Rule,
  type Tolerance,
  type Transform,
} from '../rewrite/index.ts';

/** What the rules of one transform may know about the model beside the graph around a node. */
export interface RuleContext {
  readonly model: Model;
  /** Declared or inferred type of a value, as it was before the transform; undefined when nothing is known. */
  readonly typeOf: (value: string) => TensorType | undefined;
  /** What is known of the elements of a small value. */
  readonly elementsOf: (value: string) => PartialValue | undefined;
}

/** A transform that applies rules until none matches. */
export function ruleTransform(definition: {
  readonly name: string;
  readonly description: string;
  readonly tolerance: Tolerance;
  readonly rules: (context: RuleContext) => readonly Rule[];
}): Transform {
  const { rules, ...rest } = definition;
  return defineTransform({
    ...rest,
    apply: (model) => {
      const { types, values } = inferTypes(model);
      const typeOf: RuleContext['typeOf'] = (value) => types.get(value);
      const elementsOf: RuleContext['elementsOf'] = (value) => values.get(value);
      const result = rewriteGraph(model.graph, rules({ model, typeOf, elementsOf }));
      if (hasEdgewiseNodes(model.graph)) model.opsets.set(EDGEWISE_DOMAIN, 1);
      return result;
    },
  });
}

/** What rounding in another order explains for float32 activations of ordinary size. */
export const FLOAT32_REORDERING: Tolerance = { absolute: 1e-5, relative: 1e-4 };

function hasEdgewiseNodes(graph: Graph): boolean {
  return graph.nodes.some(
    (node) => node.domain === EDGEWISE_DOMAIN || subgraphsOf(node).some(hasEdgewiseNodes),
  );
}
