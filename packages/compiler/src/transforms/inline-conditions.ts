import { cloneGraph, type Node } from '../ir/index.ts';
import {
  capturedNames,
  LOSSLESS,
  renameCaptured,
  subgraphsOf,
  type Edit,
  type GraphView,
  type Transform,
} from '../rewrite/index.ts';
import { numbersConstant } from './constants.ts';
import { ruleTransform, type RuleContext } from './rule-transform.ts';

/** Replaces an If whose condition is known by the nodes of the branch that is taken. */
export function inlineConditions(): Transform {
  return ruleTransform({
    name: 'inlineConditions',
    description: 'If with a known condition → the branch taken',
    tolerance: LOSSLESS,
    rules: (context) => [
      { name: 'known condition', operators: ['If'], match: (node, graph) => matchIf(node, graph, context) },
    ],
  });
}

function matchIf(node: Node, graph: GraphView, { elementsOf }: RuleContext): Edit | undefined {
  const [condition = ''] = node.inputs;
  const known = numbersConstant(graph, condition, 1)?.[0] ?? elementsOf(condition)?.elements[0];
  if (typeof known !== 'number') return undefined;
  const attribute = node.attributes.get(known === 0 ? 'else_branch' : 'then_branch');
  if (attribute?.kind !== 'graph') return undefined;
  const branch = cloneGraph(attribute.value);
  const produced = new Set(branch.nodes.flatMap((inner) => inner.outputs));
  const names = new Map<string, string>();
  const handedOn: Node[] = [];
  for (const [slot, { name }] of branch.outputs.entries()) {
    const output = node.outputs[slot] ?? '';
    if (output !== '' && produced.has(name) && !names.has(name)) names.set(name, output);
    else if (output !== '') handedOn.push(identity(name, output));
  }
  for (const name of [...produced, ...branch.initializers.keys()])
    if (name !== '' && !names.has(name)) names.set(name, graph.freshName(`${node.outputs[0]}/${name}`));
  return {
    reason: `the condition is ${known === 0 ? 'false' : 'true'}`,
    remove: [node],
    add: [...branch.nodes, ...handedOn].map((inner) => renamed(inner, names)),
    initializers: new Map(
      [...branch.initializers].map(([name, tensor]) => [names.get(name) ?? name, tensor]),
    ),
  };
}

/** For a branch that hands on an enclosing value, a constant, or one value twice. */
function identity(from: string, to: string): Node {
  return { name: '', opType: 'Identity', domain: '', inputs: [from], outputs: [to], attributes: new Map() };
}

function renamed(node: Node, names: ReadonlyMap<string, string>): Node {
  const rename = (name: string): string => names.get(name) ?? name;
  const own = { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) };
  const captured = subgraphsOf(own).length === 0 ? [] : capturedNames(own);
  return captured.reduce<Node>((inner, name) => renameCaptured(inner, name, rename(name)), own);
}
