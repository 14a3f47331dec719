type NumberArray = Float32Array | Int32Array | Uint32Array | Int8Array;

/** The elements of several arrays of one type, at least one, one array behind the other; the only array itself. */
export function joinArrays<T extends NumberArray>(parts: readonly T[]): T {
  if (parts.length === 1) return parts[0]!;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = new (parts[0]!.constructor as new (length: number) => T)(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
