/** square [n,n] · rows [n,width]. */
export function multiplySquare(square: Float64Array, rows: Float64Array, width: number): Float64Array {
  const n = rows.length / width;
  const product = new Float64Array(rows.length);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const factor = square[i * n + k]!;
      for (let j = 0; j < width; j++) product[i * width + j]! += factor * rows[k * width + j]!;
    }
  return product;
}
