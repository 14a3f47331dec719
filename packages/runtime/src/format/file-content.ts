/** A file that is made while it is read. */
export interface FileInPieces {
  /** Bytes of all pieces together. */
  readonly length: number;
  /** In order; each is valid until the next is asked for. */
  pieces(): Iterable<Uint8Array>;
}

/** What a file of a package holds. */
export type FileContent = Uint8Array | FileInPieces;

export function piecesOf(content: FileContent): Iterable<Uint8Array> {
  return 'pieces' in content ? content.pieces() : [content];
}
