/** Lists of numbers as one. */
export function joinNumbers(lists: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    joined.set(list, at);
    at += list.length;
  }
  return joined;
}
