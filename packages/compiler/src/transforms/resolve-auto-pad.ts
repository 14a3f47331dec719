import type { Attribute, Node } from '../ir/index.ts';
import { LOSSLESS, type Edit, type GraphView, type Transform } from '../rewrite/index.ts';
import { intsAttribute, stringAttribute } from './node-attributes.ts';
import { ruleTransform, type RuleContext } from './rule-transform.ts';

const WINDOWED = ['Conv', 'MaxPool', 'AveragePool', 'LpPool'];

/** Writes the padding that `auto_pad` stands for as `pads`. SAME needs fixed extents; without them the node stays as it is. */
export function resolveAutoPad(): Transform {
  return ruleTransform({
    name: 'resolveAutoPad',
    description: 'auto_pad → pads',
    tolerance: LOSSLESS,
    rules: (context) => [
      { name: 'auto_pad', operators: WINDOWED, match: (node, graph) => matchAutoPad(node, graph, context) },
    ],
  });
}

function matchAutoPad(node: Node, _graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  if (!node.attributes.has('auto_pad')) return undefined;
  const mode = stringAttribute(node, 'auto_pad', 'NOTSET');
  const pads =
    mode === 'NOTSET' ? intsAttribute(node, 'pads') : mode === 'VALID' ? [] : samePads(node, mode, typeOf);
  if (pads === undefined && mode !== 'NOTSET') return undefined;
  const attributes = new Map<string, Attribute>(
    [...node.attributes].filter(([name]) => name !== 'auto_pad' && name !== 'pads'),
  );
  if (pads !== undefined && pads.length > 0)
    attributes.set('pads', { kind: 'ints', value: pads.map(BigInt) });
  return { reason: `auto_pad ${mode}`, remove: [node], add: [{ ...node, attributes }] };
}

/** All begins, then all ends; an odd rest goes to the end (SAME_UPPER) or the beginning. */
function samePads(node: Node, mode: string, typeOf: RuleContext['typeOf']): number[] | undefined {
  const extents = typeOf(node.inputs[0] ?? '')?.shape?.slice(2);
  const kernel = intsAttribute(node, 'kernel_shape') ?? typeOf(node.inputs[1] ?? '')?.shape?.slice(2);
  if (extents === undefined || kernel === undefined) return undefined;
  const strides = intsAttribute(node, 'strides');
  const dilations = intsAttribute(node, 'dilations');
  const totals = extents.map((extent, axis) => {
    const size = kernel[axis];
    if (typeof extent !== 'number' || typeof size !== 'number') return NaN;
    const stride = strides?.[axis] ?? 1;
    const span = (size - 1) * (dilations?.[axis] ?? 1) + 1;
    return Math.max(0, (Math.ceil(extent / stride) - 1) * stride + span - extent);
  });
  if (!totals.every(Number.isInteger)) return undefined;
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total) => Math.ceil(total / 2));
  return mode === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small];
}
