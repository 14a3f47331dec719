import { createHash } from 'node:crypto';

/** Hexadecimal SHA-256 over parts; their borders count. */
export function hashOf(parts: Iterable<Uint8Array | string>): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex');
}
