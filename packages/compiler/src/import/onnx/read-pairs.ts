import type { StringStringEntryProto } from './proto/onnx_pb.ts';

/** Key-value lists of the schema as a map; of equal keys the last one stays. */
export function readPairs(entries: readonly StringStringEntryProto[]): Map<string, string> {
  return new Map(entries.map(({ key, value }) => [key, value]));
}
