import { CompilerError } from '../../diagnostics/index.ts';
import { DATA_TYPE_CODES, denseTensor, elementCount, int64Tensor } from '../../ir/index.ts';
import { unpackInt4 } from '../../quantize/weights/pack-int4.ts';
import { intAttribute, stringAttribute } from '../../transforms/node-attributes.ts';
import { addLayerNormalization } from './expand-layer-norm.ts';
import type { Expansion } from './expansion.ts';

const FLOAT = BigInt(DATA_TYPE_CODES.float32);
const INT64 = BigInt(DATA_TYPE_CODES.int64);

/** Gathers, sums, LayerNormalization. Rows of quantized tables are restored after they are picked. */
export function expandEmbedLayerNorm(e: Expansion): string {
  const ids = e.required(0);
  let sum = pickRows(e, 'word', 2, 7, (table) => e.add('word/rows', 'Gather', [table, ids]));
  const typeTable = e.optional(4);
  if (typeTable !== undefined) {
    const types = e.optional(1) ?? e.constant('first_type', int64Tensor([], [0]));
    sum = e.add('with_type', 'Add', [sum, e.add('type', 'Gather', [typeTable, types])]);
  }
  if (e.optional(3) !== undefined) {
    const pick = positionPicker(e, ids);
    sum = e.add('with_position', 'Add', [sum, pickRows(e, 'position', 3, 8, pick)]);
  }
  return addLayerNormalization(e, sum, e.required(5), e.required(6));
}

/** The picked rows of the table at this input as floats. */
function pickRows(
  e: Expansion,
  name: string,
  table: number,
  scale: number,
  pick: (table: string) => string,
): string {
  const scales = e.optional(scale);
  if (scales === undefined) return pick(e.required(table));
  const floats = e.add(`${name}/floats`, 'Cast', [pick(byteTable(e, name, e.required(table)))], {
    to: FLOAT,
  });
  const factors = e.add(`${name}/factors`, 'Unsqueeze', [pick(scales), e.ints(`${name}/last`, -1)]);
  return e.add(`${name}/restored`, 'Mul', [floats, factors]);
}

/** int4 tables become int8: the standard's Gather has int4 only from opset 21. */
function byteTable(e: Expansion, name: string, table: string): string {
  const tensor = e.constantOf(table);
  if (tensor.dtype !== 'int4') return table;
  const values = unpackInt4(tensor.data, elementCount(tensor.dims));
  return e.constant(`${name}/int8`, denseTensor('int8', tensor.dims, values));
}

/** Picks the rows for the tokens' positions out of a table. */
function positionPicker(e: Expansion, ids: string): (table: string) => string {
  const kind = stringAttribute(e.node, 'position', 'arange');
  if (kind === 'arange') {
    const [zero, one] = [0, 1].map((value) => e.constant(`position/${value}`, int64Tensor([], [value])));
    const length = e.add('position/length', 'Gather', [e.add('position/shape', 'Shape', [ids]), one!]);
    const positions = e.add('position/indices', 'Range', [zero!, length, one!]);
    return (table) => e.add('position/rows', 'Gather', [table, positions]);
  }
  if (kind === 'offset-nonpad') {
    const positions = countTokens(e, ids);
    return (table) => e.add('position/rows', 'Gather', [table, positions]);
  }
  throw new CompilerError('invalid-graph', `unknown position rule '${kind}'`, {
    at: { node: e.node.name || e.node.opType },
  });
}

/** RoBERTa: cumsum(id ≠ padding)·(id ≠ padding) + padding. */
function countTokens(e: Expansion, ids: string): string {
  const padding = e.constant('position/padding', int64Tensor([], [intAttribute(e.node, 'padding_index', 0)]));
  const isPadding = e.add('position/is_padding', 'Equal', [ids, padding]);
  const isToken = e.add('position/is_token', 'Not', [isPadding]);
  const ones = e.add('position/ones', 'Cast', [isToken], { to: INT64 });
  const axis = e.constant('position/axis', int64Tensor([], [1]));
  const counts = e.add('position/counts', 'CumSum', [ones, axis]);
  const masked = e.add('position/masked', 'Mul', [counts, ones]);
  return e.add('position/indices', 'Add', [masked, padding]);
}
