import type { StringStringEntryProto } from './proto/onnx_pb.ts';

/** Key-value lists of the schema as a map; of equal keys the last one stays. */
export function readPairs(entries: readonly StringStringEntryProto[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const { key, value } of entries) pairs.set(key, value);
  return pairs;
}
