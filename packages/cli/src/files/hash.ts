import { createHash } from 'node:crypto';

/** Hexadecimal SHA-256 of bytes, without the copy of them that Web Crypto makes. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Hexadecimal SHA-256 over parts; their borders count. */
export function hashOf(parts: Iterable<Uint8Array | string>): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex');
}
