import type { EmbedLayerNormSpec } from '../kernels/embed-layer-norm.ts';
import { add, mul } from './math.ts';
import { layerNorm, type Normalization } from './rows.ts';

/** [rows][n] whole numbers or floats; with a scale, row r stands for values · scale[r]. */
export interface Table {
  values: Int8Array | Float32Array;
  scale?: Float32Array;
}

export interface EmbedInputs {
  ids: Int32Array;
  word: Table;
  tokenTypes?: { ids: Int32Array; table: Table };
  position?: Table;
  positions: EmbedLayerNormSpec['positions'];
}

/** LayerNorm((word[id] + tokenType[t]) + position[p]), bit-identical to the kernel. */
export function embedLayerNorm(inputs: EmbedInputs, normalization: Normalization): Float32Array {
  const { n } = normalization;
  const sum = new Float32Array(inputs.ids.length * n);
  let words = 0;
  inputs.ids.forEach((id, row) => {
    const { positions } = inputs;
    let position = row;
    if (positions.kind === 'offset-nonpad') {
      const isWord = id === positions.paddingIndex ? 0 : 1;
      words += isWord;
      position = words * isWord + positions.paddingIndex;
    }
    for (let column = 0; column < n; column++) {
      let value = tableValue(inputs.word, id, column, n);
      if (inputs.tokenTypes) {
        const { ids, table } = inputs.tokenTypes;
        value = add(value, tableValue(table, ids[row] as number, column, n));
      }
      if (inputs.position) value = add(value, tableValue(inputs.position, position, column, n));
      sum[row * n + column] = value;
    }
  });
  return layerNorm(sum, normalization);
}

function tableValue({ values, scale }: Table, wanted: number, column: number, n: number): number {
  const row = wanted >= 0 && wanted * n < values.length ? wanted : 0;
  const value = values[row * n + column] as number;
  return scale ? mul(value, scale[row] as number) : value;
}
