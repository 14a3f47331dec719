import { createHash } from 'node:crypto';
import { piecesOf, type FileContent } from '@edgewise/runtime/format';

/** Hexadecimal SHA-256 of a file, without the copy of it that Web Crypto makes. */
export function sha256(content: FileContent): string {
  const hash = createHash('sha256');
  for (const piece of piecesOf(content)) hash.update(piece);
  return hash.digest('hex');
}

/** Hexadecimal SHA-256 over parts; their borders count. */
export function hashOf(parts: Iterable<Uint8Array | string>): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex');
}
