import { float32Tensor, typedData, type Float32Tensor, type Node, type Tensor } from '../ir/index.ts';
import type { Edit, GraphView, Transform } from '../rewrite/index.ts';
import { coordinatesOf } from './analysis/coordinates.ts';
import { ElementAnalysis } from './analysis/element-analysis.ts';
import { evaluateElement, readsOf, type Element } from './analysis/element.ts';
import { subtract, type Coordinates, type Index } from './analysis/index-arithmetic.ts';
import { float32Constant, numberConstant } from './constants.ts';
import { edgewiseNode, isStandard } from './edgewise-node.ts';
import { floatAttribute, intAttribute } from './node-attributes.ts';
import { FLOAT32_REORDERING, ruleTransform, type RuleContext } from './rule-transform.ts';

/**
 * Recognises a sum of embedding rows under an `edgewise.LayerNorm` and writes `edgewise.EmbedLayerNorm`: word rows by
 * input id, token-type rows by a second input, position rows by 0, 1, 2, … or by RoBERTa's count of ids that are not
 * padding. A row that is the same for all tokens (token type 0 of a model without token types) goes into the position
 * table. The index of each row is found by `ElementAnalysis`, whatever the exporter computes it with.
 */
export function fuseEmbedLayerNorm(): Transform {
  return ruleTransform({
    name: 'fuseEmbedLayerNorm',
    description: 'sum of embedding rows + LayerNorm → EmbedLayerNorm',
    tolerance: FLOAT32_REORDERING,
    rules: (context) => [
      {
        name: 'embeddings',
        operators: ['edgewise.LayerNorm'],
        match: (node, graph) => matchEmbeddings(node, graph, context),
      },
    ],
  });
}

/** One summand: rows of a table, by an index that depends on the token. */
interface Lookup {
  readonly name: string;
  readonly table: Float32Tensor;
  readonly index: RowIndex;
}

type RowIndex =
  | { readonly kind: 'input'; readonly ids: string }
  | { readonly kind: 'arange'; readonly offset: number }
  | { readonly kind: 'offset-nonpad'; readonly ids: string; readonly padding: number }
  | { readonly kind: 'fixed'; readonly row: number };

type LookupOf<K extends RowIndex['kind']> = Lookup & { readonly index: Extract<RowIndex, { kind: K }> };

function matchEmbeddings(node: Node, graph: GraphView, { typeOf }: RuleContext): Edit | undefined {
  const [sum = '', gamma = '', beta = ''] = node.inputs;
  const analysis = new ElementAnalysis(graph, typeOf);
  const shape = analysis.shape(sum);
  if (shape?.length !== 3 || !isStandard(graph.producer(sum), 'Add', 'Gather')) return undefined;
  const lookups = summandsOf(sum, graph).map((gather) => matchLookup(gather, shape, graph, analysis));
  if (!lookups.every((lookup) => lookup !== undefined)) return undefined;
  const parts = assignRoles(lookups, typeOf);
  if (parts === undefined) return undefined;
  const { word, tokenType, position, fixed } = parts;

  const initializers = new Map<string, Tensor>();
  const keep = (name: string, tensor: Tensor): string => {
    if (graph.constant(name) === tensor) return name;
    const fresh = graph.freshName(`${name}.rows`);
    initializers.set(fresh, tensor);
    return fresh;
  };
  const positions = position && keep(position.name, positionRows(position, fixed));
  const inputs = [
    word.index.ids,
    tokenType?.index.ids ?? '',
    word.name,
    positions ?? '',
    tokenType?.name ?? '',
  ];
  return {
    reason: `${lookups.length} embeddings`,
    remove: [node],
    add: [
      edgewiseNode('EmbedLayerNorm', node, [...inputs, gamma, beta], node.outputs, {
        epsilon: floatAttribute(node, 'epsilon', 1e-5),
        position: position?.index.kind ?? 'arange',
        ...(position?.index.kind === 'offset-nonpad' && { padding_index: BigInt(position.index.padding) }),
      }),
    ],
    initializers,
  };
}

/** The values under a tree of additions; sums that something else reads are not taken apart. */
function summandsOf(value: string, graph: GraphView): string[] {
  const add = graph.producer(value);
  if (!isStandard(add, 'Add') || graph.useCount(value) !== 1) return [value];
  return add.inputs.flatMap((input) => summandsOf(input, graph));
}

function matchLookup(
  value: string,
  shape: readonly Index[],
  graph: GraphView,
  analysis: ElementAnalysis,
): Lookup | undefined {
  const gather = graph.producer(value);
  if (!isStandard(gather, 'Gather') || intAttribute(gather, 'axis', 0) !== 0) return undefined;
  const [name = '', indices = ''] = gather.inputs;
  const table = float32Constant(graph, name);
  if (table?.dims.length !== 2 || table.dims[1] !== shape[2]) return undefined;
  const { at, coordinates } = coordinatesOf(shape.slice(0, 2));
  const place = analysis.broadcast(indices, at);
  if (place === undefined) return undefined;
  const index = matchIndex(analysis.at(indices, place, { coordinates }), at, coordinates, graph, analysis);
  return index && { name, table, index };
}

function matchIndex(
  element: Element,
  at: readonly Index[],
  coordinates: Coordinates,
  graph: GraphView,
  analysis: ElementAnalysis,
): RowIndex | undefined {
  if (element.kind === 'read')
    return graph.isInput(element.value) && element.at.join() === at.join()
      ? { kind: 'input', ids: element.value }
      : undefined;
  if (element.kind === 'apply') return matchNonPadding(element, at, coordinates, graph, analysis);
  const offset = subtract(element.value, at[1] ?? 0);
  if (typeof offset === 'number' && offset >= 0) return { kind: 'arange', offset };
  return typeof element.value === 'number' && element.value >= 0
    ? { kind: 'fixed', row: element.value }
    : undefined;
}

/** Ids and counts on which a formula is compared with cumsum(id ≠ pad)·(id ≠ pad) + pad. */
const SAMPLE_COUNTS: readonly number[] = [1, 2, 3, 17, 300];

function matchNonPadding(
  element: Element,
  at: readonly Index[],
  coordinates: Coordinates,
  graph: GraphView,
  analysis: ElementAnalysis,
): RowIndex | undefined {
  const reads = readsOf(element);
  const sum = reads.map((read) => graph.producer(read.value)).find((node) => isStandard(node, 'CumSum'));
  const ids = reads.find((read) => graph.isInput(read.value))?.value;
  if (sum === undefined || ids === undefined) return undefined;
  const [count = ''] = sum.outputs;
  if (!reads.every((read) => [count, ids].includes(read.value) && read.at.join() === at.join()))
    return undefined;
  if (intAttribute(sum, 'exclusive', 0) !== 0 || intAttribute(sum, 'reverse', 0) !== 0) return undefined;
  const axis = numberConstant(graph, sum.inputs[1]);
  if (axis !== 1 && axis !== -1) return undefined;
  const counted = analysis.at(sum.inputs[0] ?? '', at, { coordinates });
  if (!readsOf(counted).every((read) => read.value === ids && read.at.join() === at.join())) return undefined;

  const isCounted = (id: number): number => evaluateElement(counted, () => id);
  const padding = constantsOf(element).find((number) => Number.isInteger(number) && isCounted(number) === 0);
  if (padding === undefined) return undefined;
  for (const id of [0, 1, 2, 3, 5, 100, 30000]) {
    if (isCounted(id) !== (id === padding ? 0 : 1)) return undefined;
    for (const n of SAMPLE_COUNTS) {
      const position = evaluateElement(element, (read) => (read.value === ids ? id : n));
      if (position !== (id === padding ? padding : n + padding)) return undefined;
    }
  }
  return { kind: 'offset-nonpad', ids, padding };
}

function constantsOf(element: Element): number[] {
  if (element.kind === 'apply') return element.arguments.flatMap(constantsOf);
  return element.kind === 'scalar' && typeof element.value === 'number' ? [element.value] : [];
}

interface Roles {
  readonly word: LookupOf<'input'>;
  readonly tokenType: LookupOf<'input'> | undefined;
  readonly position: LookupOf<'arange' | 'offset-nonpad'> | undefined;
  readonly fixed: LookupOf<'fixed'> | undefined;
}

function assignRoles(lookups: readonly Lookup[], typeOf: RuleContext['typeOf']): Roles | undefined {
  // A vocabulary is larger than the list of token types.
  const byInput = lookups
    .filter((lookup) => isKind(lookup, 'input'))
    .toSorted((a, b) => (b.table.dims[0] ?? 0) - (a.table.dims[0] ?? 0));
  const positions = lookups.filter((lookup) => isKind(lookup, 'arange') || isKind(lookup, 'offset-nonpad'));
  const fixed = lookups.filter((lookup) => isKind(lookup, 'fixed'));
  const [word, tokenType] = byInput;
  const [position] = positions;
  if (word === undefined || byInput.length > 2 || positions.length > 1 || fixed.length > 1) return undefined;
  if (fixed.length > 0 && position === undefined) return undefined; // no table that could take the row
  if (byInput.some(({ index }) => typeOf(index.ids)?.dtype !== 'int64')) return undefined;
  if (position?.index.kind === 'offset-nonpad' && position.index.ids !== word.index.ids) return undefined;
  return { word, tokenType, position, fixed: fixed[0] };
}

function isKind<K extends RowIndex['kind']>(lookup: Lookup, kind: K): lookup is LookupOf<K> {
  return lookup.index.kind === kind;
}

/** The position table from its first used row on, plus the row that every token gets. */
function positionRows(
  position: LookupOf<'arange' | 'offset-nonpad'>,
  fixed: LookupOf<'fixed'> | undefined,
): Tensor {
  const [rows = 0, width = 0] = position.table.dims;
  const offset = position.index.kind === 'arange' ? position.index.offset : 0;
  if (offset === 0 && fixed === undefined) return position.table;
  const table = typedData(position.table).slice(offset * width);
  const row =
    fixed && typedData(fixed.table).subarray(fixed.index.row * width, (fixed.index.row + 1) * width);
  if (row !== undefined) table.forEach((value, i) => (table[i] = value + (row[i % width] ?? 0)));
  return float32Tensor([rows - offset, width], table);
}
