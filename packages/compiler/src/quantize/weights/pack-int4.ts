/** Packs values in [-8,7] as ONNX int4: two to a byte, low half first, an odd tail padded with 0. */
export function packInt4(values: Int8Array): Uint8Array {
  const pairs = values.length >> 1;
  const packed = new Uint8Array((values.length + 1) >> 1);
  for (let i = 0; i < pairs; i++) packed[i] = (values[2 * i]! & 15) | (values[2 * i + 1]! << 4);
  if (values.length % 2 === 1) packed[pairs] = values[values.length - 1]! & 15;
  return packed;
}

/** The inverse of `packInt4`: `count` signed values. */
export function unpackInt4(packed: Uint8Array, count: number): Int8Array {
  const values = new Int8Array(count);
  for (let i = 0; i < count; i++) {
    const byte = packed[i >> 1]!;
    values[i] = i % 2 === 0 ? (byte << 28) >> 28 : (byte << 24) >> 28;
  }
  return values;
}
